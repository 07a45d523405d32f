package fetch_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/vepverify/vepverify/internal/fetch"
)

// keySet is what two documents of an issuer say.
type keySet struct{ Keys []json.RawMessage }

// issuers fetches the metadata of a host, and then the keys at the URL that they name.
type issuers struct {
	client *fetch.Client
	work   fetch.Work
}

func (i *issuers) fetch(ctx context.Context, q fetch.Question) fetch.Result[*keySet] {
	var metadata struct {
		JWKS string `json:"jwks_uri"`
	}
	first := i.read(ctx, &url.URL{Scheme: "https", Host: q.Host, Path: "/metadata"}, &metadata)
	if first.Fault != nil {
		return first
	}
	target, err := url.Parse(metadata.JWKS)
	if err != nil {
		return fetch.Result[*keySet]{Fault: fetch.Refused.FaultByHost("jwks_uri: not a URL")}
	}
	second := i.read(ctx, target, new(keySet))
	second.Size += first.Size
	second.Life = min(first.Life, second.Life)
	return second
}

// read requests one of the documents and parses it into v.
func (i *issuers) read(ctx context.Context, target *url.URL, v any) (r fetch.Result[*keySet]) {
	answer, fault := i.client.Get(ctx, target)
	if fault == nil {
		r, fault = i.parse(ctx, answer, v)
	}
	r.Fault, r.Life = fault, fetch.Lifetime(fault, answer.CacheControl)
	return r
}

func (i *issuers) parse(ctx context.Context, answer fetch.Answer, v any) (r fetch.Result[*keySet], f *fetch.Fault) {
	release, err := i.work.Acquire(ctx)
	if err != nil {
		return r, fetch.LocalFault("no room to read the document", err)
	}
	defer release()
	text, f := answer.Text()
	if f != nil {
		return r, f
	}
	if json.Unmarshal(text, v) != nil {
		if answer.EndUnknown {
			return r, fetch.Unavailable.Fault("answer cut off, or malformed", nil)
		}
		return r, fetch.Refused.FaultByHost("malformed")
	}
	r.Document, _ = v.(*keySet)
	r.Size = len(text)
	return r, nil
}

// A fetch may make several requests: they share its slot and its deadline, and their result
// is one entry.
func ExampleFetcher() {
	pages := map[string]string{
		"https://accounts.idp.example/metadata": `{"jwks_uri": "https://keys.example/set?v=3"}`,
		"https://keys.example/set?v=3":          `{"keys": [{"kty": "OKP"}]}`,
		"https://evil.example/metadata":         `{"jwks_uri": "https://169.254.169.254/"}`,
	}
	transport := roundTripper(func(q *http.Request) (*http.Response, error) {
		if text := pages[q.URL.String()]; text != "" {
			return reply(200, "application/json", text)(q)
		}
		return reply(404, "text/plain", "")(q)
	})
	client, err := fetch.NewClient(fetch.Config{Rules: fetch.Rules{Other: fetch.Refused}, InsecureTransport: transport})
	if err != nil {
		fmt.Println(err)
		return
	}
	source := &issuers{client, fetch.NewWork()}
	fetcher := fetch.NewFetcher(fetch.Limits{Stale: true}, source.fetch)
	for _, host := range strings.Fields("accounts.idp.example evil.example other.example") {
		e := fetcher.Lookup(context.Background(), fetch.Own(host), fetch.Options{})
		if e.Fault != nil {
			fmt.Printf("%s: %s\n", host, e.Fault.Reason)
			continue
		}
		fmt.Printf("%s: %d key, for %v\n", host, len(e.Document.Keys), e.Expires.Sub(e.Fetched))
	}
	// Output:
	// accounts.idp.example: 1 key, for 1h0m0s
	// evil.example: an IP address in place of a name
	// other.example: HTTP status 404
}
