package verifyapi_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/devidp/idptest"
	"github.com/vepverify/vepverify/keys"
	"github.com/vepverify/vepverify/verifyapi"
)

// returningUsers returns distinct assertions of users with several assertions each.
func returningUsers(b *testing.B) []string {
	const users, each = 32, 8
	texts := make([]string, 0, users*each)
	for u := range users {
		key, err := keys.Generate(keys.DS128)
		if err != nil {
			b.Fatal(err)
		}
		certificate := idp.Certificate(fmt.Sprintf("user%d@idp.example", u), key.Public())
		for i := range each {
			statement := idp.Assertion(audience, key).With("exp", now.Add(idptest.AssertionLife).UnixMilli()+int64(i))
			texts = append(texts, idptest.Backed(certificate, statement))
		}
	}
	return texts
}

// sink is a ResponseWriter that discards the body.
type sink struct {
	header http.Header
	status int
}

func (s *sink) Header() http.Header         { return s.header }
func (s *sink) Write(p []byte) (int, error) { return len(p), nil }
func (s *sink) WriteHeader(status int)      { s.status = status }

// requester returns a function that returns requests with those bodies in turn.
func requester(b *testing.B, path, contentType string, texts []string, body func(string) string) func(i int) *http.Request {
	bodies := make([]string, len(texts))
	for i, text := range texts {
		bodies[i] = body(text)
	}
	return func(i int) *http.Request {
		text := bodies[i%len(bodies)]
		r, err := http.NewRequest("POST", path, io.NopCloser(strings.NewReader(text)))
		if err != nil {
			b.Fatal(err)
		}
		r.ContentLength = int64(len(text))
		r.Header.Set("Content-Type", contentType)
		return r
	}
}

var noLogger = slog.New(slog.DiscardHandler)

// BenchmarkHandler compares requests with the verifier alone on the same
// assertions.
func BenchmarkHandler(b *testing.B) {
	texts := returningUsers(b)
	v := newVerifier(b, assertion.Config{})
	metrics, err := verifyapi.NewMetrics(prometheus.NewRegistry())
	if err != nil {
		b.Fatal(err)
	}
	logger := slog.New(slog.NewJSONHandler(io.Discard, nil))
	b.Run("verifier", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if _, err := v.Verify(b.Context(), texts[i%len(texts)], audience); err != nil {
				b.Fatal(err)
			}
		}
	})
	asForm := func(text string) string { return form("assertion", text, "audience", audience) }
	for _, bb := range []struct {
		name    string
		c       verifyapi.Config
		request func(int) *http.Request
		status  int
	}{
		{"v2", verifyapi.Config{Logger: noLogger}, requester(b, "/v2", jsonType, texts, func(s string) string { return ask(s) }), 200},
		{"v2-logs-metrics", verifyapi.Config{Logger: logger, Metrics: metrics}, requester(b, "/v2", jsonType, texts, func(s string) string { return ask(s) }), 200},
		{"v1-form", verifyapi.Config{Logger: noLogger}, requester(b, "/verify", formType, texts, asForm), 200},
		{"missing", verifyapi.Config{Logger: noLogger}, requester(b, "/v2", jsonType, []string{""}, func(string) string { return "{}" }), 400},
		{"not-found", verifyapi.Config{Logger: noLogger}, requester(b, "/x", jsonType, []string{""}, func(string) string { return "{}" }), 404},
	} {
		b.Run(bb.name, func(b *testing.B) {
			bb.c.Verifier = v
			h, err := verifyapi.New(bb.c)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			w := &sink{header: make(http.Header)}
			for i := 0; b.Loop(); i++ {
				clear(w.header)
				h.ServeHTTP(w, bb.request(i))
				if w.status != bb.status {
					b.Fatal(w.status)
				}
			}
		})
	}
	b.Run("too-busy", func(b *testing.B) { benchmarkTooBusy(b, texts) })
}

// benchmarkTooBusy measures a request that is refused as "too busy".
func benchmarkTooBusy(b *testing.B, texts []string) {
	release := make(chan struct{})
	v := newVerifier(b, assertion.Config{Keys: source(func(context.Context, string) error {
		release <- struct{}{}
		release <- struct{}{}
		return nil
	})})
	h, err := verifyapi.New(verifyapi.Config{Verifier: v, Logger: noLogger, InFlight: 1, Queue: -1})
	if err != nil {
		b.Fatal(err)
	}
	request := requester(b, "/v2", jsonType, texts, func(s string) string { return ask(s) })
	done := make(chan struct{})
	go func() {
		defer close(done)
		h.ServeHTTP(&sink{header: make(http.Header)}, request(0))
	}()
	<-release // the one place is taken
	b.ReportAllocs()
	w := &sink{header: make(http.Header)}
	for i := 0; b.Loop(); i++ {
		clear(w.header)
		h.ServeHTTP(w, request(i))
		if w.status != 503 {
			b.Fatal(w.status)
		}
	}
	<-release
	<-done
}

// BenchmarkServer measures requests over keep-alive connections.
func BenchmarkServer(b *testing.B) {
	texts := returningUsers(b)
	s := serve(b, verifyapi.Config{})
	c := client(b)
	c.Transport.(*http.Transport).MaxIdleConnsPerHost = 64
	var n atomic.Int64
	b.ReportAllocs()
	b.SetParallelism(16)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			text := texts[int(n.Add(1))%len(texts)]
			resp, err := c.Post(s.url+"/v2", jsonType, bytes.NewReader([]byte(ask(text))))
			if err != nil {
				b.Error(err)
				return
			}
			io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			if resp.StatusCode != 200 {
				b.Errorf("%s", resp.Status)
			}
		}
	})
}

// BenchmarkCostly measures the most expensive requests that are known for the work of
// this package, at the default limit of a body and at the largest. Package bench
// measures verifications.
func BenchmarkCostly(b *testing.B) {
	many := func(size int, format string) string {
		var text strings.Builder
		for i := 0; text.Len() < size-2000; i++ {
			fmt.Fprintf(&text, format, i)
		}
		return text.String()
	}
	for _, limit := range []int{10 << 10, 1 << 20} {
		h, err := verifyapi.New(verifyapi.Config{Verifier: newVerifier(b, assertion.Config{}), Logger: noLogger, MaxBody: int64(limit)})
		if err != nil {
			b.Fatal(err)
		}
		for _, bb := range []struct{ name, path, contentType, body string }{
			{"members", "/v2", jsonType, `{"assertion":"x"` + many(limit, `,"%x":0`) + "}"},
			{"escaped members", "/v2", jsonType, `{"assertion":"x"` + many(limit, `,"\\u0061%x":0`) + "}"},
			{"empty objects", "/v2", jsonType, `{"assertion":"x","a":[{}` + many(limit, ",{}%.0d") + "]}"},
			{"nested", "/v2", jsonType, `{"a":` + strings.Repeat("[", 999) + strings.Repeat("]", 999) + "}"},
			{"trusted issuers", "/v2", jsonType, ask("x", `"trustedIssuers":["a"`+strings.Repeat(`,"a.b"`, min(1023, (limit-2000)/6))+"]")},
			{"too many trusted issuers", "/v2", jsonType, ask("x", `"trustedIssuers":["a"`+many(limit, `,"%x"`)+"]")},
			{"names of a form", "/verify", formType, many(limit, "%x&")},
			{"escapes of a form", "/verify", formType, "assertion=" + strings.Repeat("%41", (limit-100)/3)},
			{"white space", "/v2", jsonType, strings.Repeat(" ", limit-2) + "{}"},
			{"escapes of a string", "/v2", jsonType, `{"assertion":"` + strings.Repeat(`\u00e9`, (limit-100)/6) + `"}`},
		} {
			b.Run(fmt.Sprintf("%s/%d", bb.name, limit), func(b *testing.B) {
				request := requester(b, bb.path, bb.contentType, []string{bb.body}, func(s string) string { return s })
				b.ReportAllocs()
				w := &sink{header: make(http.Header)}
				for i := 0; b.Loop(); i++ {
					clear(w.header)
					h.ServeHTTP(w, request(i))
				}
			})
		}
	}
}
