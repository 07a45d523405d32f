package redisstore_test

import (
	"context"
	"fmt"
	"log"

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

// A store of several Redis servers that Sentinel monitors.
func ExampleNew() {
	client := redis.NewFailoverClient(&redis.FailoverOptions{
		MasterName:            "mymaster",
		SentinelAddrs:         []string{"10.0.0.1:26379", "10.0.0.2:26379", "10.0.0.3:26379"},
		ContextTimeoutEnabled: true,
	})
	defer client.Close()
	store, err := redisstore.New(client, redisstore.Config{Prefix: "shop:assertions:"})
	if err != nil {
		log.Fatal(err)
	}
	_ = store
}

func ExampleOpen() {
	_, err := redisstore.Open("http://redis.internal", redisstore.Config{})
	fmt.Println(err != nil)
	// Output: true
}
