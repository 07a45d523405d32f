package redisstore_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log"
	"os"

	"github.com/redis/go-redis/v9"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/redisstore"
)

func Example() {
	store, err := redisstore.Open("redis://redis.internal:6379", redisstore.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
	misconfigured, err := store.Check(context.Background())
	if err != nil {
		log.Print(err) // until the server answers, every assertion is undecided
	}
	for _, m := range misconfigured {
		log.Print(m)
	}
	verifier, err := assertion.NewVerifier(assertion.Config{OneUse: store})
	if err != nil {
		log.Fatal(err)
	}
	_ = verifier
}

// A client of the program's own, with options that a URL does not have.
func ExampleNew() {
	client := redis.NewClusterClient(&redis.ClusterOptions{
		Addrs:                 []string{"10.0.0.1:7000", "10.0.0.2:7000", "10.0.0.3:7000"},
		ContextTimeoutEnabled: true,
		PoolSize:              200,
	})
	defer client.Close()
	store, err := redisstore.New(client, redisstore.Config{Prefix: "shop:assertions:"})
	if err != nil {
		log.Fatal(err)
	}
	_ = store
}

// Three Sentinels name the server. All speak TLS with certificates of a private authority, and
// want one from clients.
func ExampleOpen_sentinel() {
	authority, err := os.ReadFile("ca.pem")
	if err != nil {
		log.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	certificate, err := tls.LoadX509KeyPair("cert.pem", "key.pem")
	if err != nil {
		log.Fatal(err)
	}
	config := &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{certificate}}
	store, err := redisstore.Open("rediss+sentinel://a:26379,b:26379,c:26379/mymaster", redisstore.Config{
		TLS: func() *tls.Config { return config },
	})
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
}

func ExampleOpen() {
	_, err := redisstore.Open("http://redis.internal", redisstore.Config{})
	fmt.Println(err != nil)
	// Output: true
}
