package wellknown_test

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/wellknown"
)

// TestDelegation checks that a Static and a Resolver give the same answers for the same
// documents.
func TestDelegation(t *testing.T) {
	incomplete := `{"public-key":` + rsaKey(2048, 1) + `,"provisioning":"/prov"}`
	documents := map[string]json.RawMessage{
		"self.example":       json.RawMessage(document(1)),
		"one.example":        json.RawMessage(delegation("SELF.example")),
		"two.example":        json.RawMessage(delegation("one.example")),
		"three.example":      json.RawMessage(delegation("two.example")),
		"four.example":       json.RawMessage(delegation("three.example")),
		"five.example":       json.RawMessage(delegation("four.example")),
		"six.example":        json.RawMessage(delegation("five.example")),
		"circle.example":     json.RawMessage(delegation("circle.example")),
		"a.example":          json.RawMessage(delegation("b.example")),
		"b.example":          json.RawMessage(delegation("a.example")),
		"disabled.example":   json.RawMessage(`{"disabled":true,"authority":"self.example"}`),
		"enabled.example":    json.RawMessage(`{"disabled":false,"authority":"self.example"}`),
		"toDisabled.example": json.RawMessage(delegation("disabled.example")),
		"toNull.example":     json.RawMessage(delegation("null.example")),
		"toAbsent.example":   json.RawMessage(delegation("absent.example")),
		"null.example":       nil,
		"null2.example":      json.RawMessage(" null "),
		"short.example":      json.RawMessage(incomplete),
		"toShort.example":    json.RawMessage(delegation("short.example")),
	}
	static, err := wellknown.NewStatic(documents)
	if err != nil {
		t.Fatal(err)
	}
	network := resolver(t, wellknown.Config{InsecureTransport: serving(documents)})
	for asked, want := range map[string]struct {
		row error
		via string
	}{
		"self.example":       {nil, ""},
		"Self.EXAMPLE":       {nil, ""},
		"one.example":        {nil, "one.example"},
		"two.example":        {nil, "two.example one.example"},
		"five.example":       {nil, "five.example four.example three.example two.example one.example"},
		"six.example":        {row5, ""},
		"circle.example":     {row5, ""},
		"a.example":          {row5, ""},
		"disabled.example":   {row3, ""},
		"enabled.example":    {nil, "enabled.example"},
		"toDisabled.example": {row5, ""},
		"toNull.example":     {row5, ""},
		"toAbsent.example":   {row4, ""},
		"absent.example":     {row4, ""},
		"null.example":       {row3, ""},
		"null2.example":      {row3, ""},
		"short.example":      {row3, ""},
		"toShort.example":    {row5, ""},
		"":                   {row5, ""},
		"no domain":          {row5, ""},
		"self.example.":      {row5, ""},
	} {
		for _, s := range []authoritySource{static, network} {
			a, err := s.Authority(t.Context(), asked, "email.example")
			if got := row(t, a, err); got != want.row {
				t.Errorf("%T: %s: %v, want %v", s, asked, err, want.row)
			}
			if a != nil && (a.Domain != "self.example" || strings.Join(a.Delegations, " ") != want.via || len(a.Keys) != 1) {
				t.Errorf("%T: %s: %+v", s, asked, a)
			}
			var inc *wellknown.IncompleteError
			if short := strings.HasSuffix(strings.ToLower(asked), "short.example"); errors.As(err, &inc) != short {
				t.Errorf("%T: %s: %v", s, asked, err)
			} else if short && (len(inc.Authority.Keys) != 1 || inc.Authority.Domain != "short.example" || inc.Authority.Provisioning != "/prov") {
				t.Errorf("%T: %s: %+v", s, asked, inc.Authority)
			}
		}
	}
	for _, s := range []authoritySource{static, network} {
		if a, err := s.Authority(t.Context(), "self.example", "no domain"); row(t, a, err) != row5 {
			t.Errorf("%T: email domain: %v", s, err)
		}
	}
}

// authoritySource is implemented by Static and Resolver.
type authoritySource interface {
	Authority(ctx context.Context, host, emailDomain string) (*wellknown.Authority, error)
}

// serving returns a network whose hosts answer with these documents. Null is a 404; a host
// that is not in the map answers 503.
func serving(documents map[string]json.RawMessage) roundTripper {
	return func(q *http.Request) (*http.Response, error) {
		i := slices.IndexFunc(names(documents), func(name string) bool { return strings.EqualFold(name, q.URL.Host) })
		if i < 0 {
			return reply(503, "")
		}
		d := documents[names(documents)[i]]
		if d == nil || strings.TrimSpace(string(d)) == "null" {
			return reply(404, "")
		}
		return reply(200, string(d))
	}
}

func names(documents map[string]json.RawMessage) []string {
	all := make([]string, 0, len(documents))
	for name := range documents {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

// TestDelegateFails checks that a domain that delegates has not opted out, for each answer of its
// delegate.
func TestDelegateFails(t *testing.T) {
	for name, c := range map[string]struct {
		answer func() (*http.Response, error)
		want   error
	}{
		"404":          {notFound, row5},
		"no such host": {fails(&net.DNSError{IsNotFound: true}), row5},
		"malformed":    {answers(200, "{"), row5},
		"redirect":     {answers(301, ""), row5},
		"too large":    {answers(200, strings.Repeat(" ", 1<<17)), row5},
		"down":         {down, row4},
		"503":          {answers(503, ""), row4},
		"cut off":      {cutOff, row4},
	} {
		r := resolver(t, wellknown.Config{InsecureTransport: roundTripper(func(q *http.Request) (*http.Response, error) {
			if q.URL.Host == host {
				return reply(200, delegation("a.example"))
			}
			return c.answer()
		})})
		a, err := r.Authority(t.Context(), host, host)
		var lookup *wellknown.LookupError
		if got := row(t, a, err); got != c.want || !errors.As(err, &lookup) || lookup.Host != host || lookup.At != "a.example" {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// TestRequest checks the requests to hosts: a delegate too gets the domain of the email.
func TestRequest(t *testing.T) {
	var asked []string
	r := resolver(t, wellknown.Config{InsecureTransport: roundTripper(func(q *http.Request) (*http.Response, error) {
		asked = append(asked, q.Method+" "+q.URL.String())
		if q.Header.Get("Accept") != "application/json" || q.Header.Get("Cookie") != "" {
			t.Errorf("header %v", q.Header)
		}
		if q.URL.Host == host {
			return reply(200, delegation("a.example:443"), "Set-Cookie", "a=b")
		}
		return reply(200, document(1))
	})})
	if _, err := r.Authority(t.Context(), host, "Email.example:8080"); err != nil {
		t.Fatal(err)
	}
	want := "GET https://idp.example/.well-known/browserid?domain=email.example%3A8080 " +
		"GET https://a.example:443/.well-known/browserid?domain=email.example%3A8080"
	if got := strings.Join(asked, " "); got != want {
		t.Errorf("asked %s", got)
	}
}
