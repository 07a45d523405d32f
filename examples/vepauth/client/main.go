// Command client fetches pages of a site that it signs in to, such as ../server.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"io"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/keys"
	"github.com/vepverify/vepverify/vepauth"
)

// signIn returns a client that signs in with an identity: the content of a file that
// vepverify certify wrote.
func signIn(identity []byte) (*http.Client, error) {
	var id struct {
		Certificate string          `json:"certificate"`
		PrivateKey  json.RawMessage `json:"privateKey"`
	}
	if err := json.Unmarshal(identity, &id); err != nil {
		return nil, err
	}
	key, err := keys.ParsePrivateKey(id.PrivateKey)
	if err != nil {
		return nil, err
	}
	return &http.Client{Transport: &vepauth.Transport{
		Assertion: func(_ context.Context, audience string) (string, error) {
			return assertion.Sign(assertion.Template{Audience: audience, Expires: time.Now().Add(2 * time.Minute)}, key, id.Certificate)
		},
	}}, nil
}

func main() {
	identity := flag.String("identity", "ada.json", "a `file` of vepverify certify")
	flag.Parse()
	client := must(signIn(must(os.ReadFile(*identity))))
	for _, url := range flag.Args() {
		res := must(client.Get(url))
		must(io.Copy(os.Stdout, res.Body))
		res.Body.Close()
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}
