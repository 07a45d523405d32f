package idptest_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/devidp/idptest"
)

// outcomes are the answers of one row of PROTOCOL §4: for an assertion that the domain
// issued, and for one that the configured fallback issued.
type outcomes struct{ itself, byFallback answer }

var (
	supported   = outcomes{okay, failure}        // row 2
	unsupported = outcomes{failure, okay}        // row 3
	unavailable = outcomes{undecided, undecided} // row 4
	refused     = outcomes{failure, failure}     // row 5
)

type fault struct {
	site idptest.Site
	want outcomes
	// stalls means that only the deadline ends the fetch.
	stalls bool
}

func faults(idp *idptest.IdP) map[string]fault {
	good := idptest.Serve(idp)
	return map[string]fault{
		"none":                  {site: good, want: supported},
		"content type in caps":  {site: good.Header("Content-Type", "Application/JSON; charset=utf-8"), want: supported},
		"slow but complete":     {site: good.ByteByByte(time.Microsecond), want: supported},
		"unframed":              {site: good.Unframed(), want: supported},
		"compressed":            {site: good.Gzip(), want: supported},
		"by a handler":          {site: idptest.Handler(documentFor(idp)), want: supported},
		"incomplete":            {site: idptest.JSON(idp.Document().Without("provisioning")), want: unsupported},
		"no such host":          {site: idptest.NXDomain(), want: unsupported},
		"refused connection":    {site: idptest.Refused(), want: unsupported},
		"plain HTTP":            {site: idptest.PlainHTTP(), want: unsupported},
		"SSH":                   {site: idptest.NotTLS("SSH-2.0-idptest\r\n"), want: unsupported},
		"redirect":              {site: idptest.Redirect("https://fallback.example/"), want: unsupported},
		"301 with a document":   {site: good.Status(301), want: unsupported},
		"404 with a document":   {site: good.Status(404), want: unsupported},
		"401":                   {site: idptest.Status(401), want: unsupported},
		"410":                   {site: idptest.Status(410), want: unsupported},
		"201 with a document":   {site: good.Status(201), want: unsupported},
		"204":                   {site: idptest.Status(204), want: unsupported},
		"wrong content type":    {site: good.Header("Content-Type", "text/html"), want: unsupported},
		"no content type":       {site: idptest.Body("", string(idp.Document().JSON())), want: unsupported},
		"malformed":             {site: idptest.Malformed(), want: unsupported},
		"duplicate member":      {site: idptest.JSON(idptest.Raw(`{"disabled":false,"disabled":true}`)), want: unsupported},
		"disabled":              {site: idptest.Disabled(), want: unsupported},
		"disabled, with keys":   {site: idptest.JSON(idp.Document().With("disabled", true)), want: unsupported},
		"DNS servers fail":      {site: idptest.ServFail(), want: unavailable},
		"DNS times out":         {site: idptest.DNSTimeout(), want: unavailable},
		"black hole":            {site: idptest.Blackhole(), want: unavailable, stalls: true},
		"reset":                 {site: idptest.Reset(), want: unavailable},
		"stall before TLS":      {site: idptest.StallBeforeTLS(), want: unavailable, stalls: true},
		"stall after TLS":       {site: idptest.StallAfterTLS(), want: unavailable, stalls: true},
		"stall after header":    {site: good.StallAfterHeader(), want: unavailable, stalls: true},
		"one byte a second":     {site: good.ByteByByte(time.Second), want: unavailable, stalls: true},
		"half, then reset":      {site: good.HalfThenReset(), want: unavailable},
		"half of the length":    {site: good.HalfThenClose(), want: unavailable},
		"half of the chunks":    {site: good.HalfChunked(), want: unavailable},
		"half, unframed":        {site: good.HalfUnframed(), want: unavailable},
		"endless header":        {site: good.EndlessHeader(), want: unavailable},
		"expired TLS":           {site: good.Expired(), want: unavailable},
		"self-signed TLS":       {site: good.SelfSigned(), want: unavailable},
		"TLS of another name":   {site: good.WrongName(), want: unavailable},
		"404 over expired TLS":  {site: idptest.Status(404).Expired(), want: unavailable},
		"TLS 1.1":               {site: good.TLS11(), want: unavailable},
		"408":                   {site: idptest.Status(408), want: unavailable},
		"425":                   {site: idptest.Status(425), want: unavailable},
		"429":                   {site: idptest.Status(429), want: unavailable},
		"500":                   {site: idptest.Status(500), want: unavailable},
		"503 with a document":   {site: good.Status(503), want: unavailable},
		"over the limit":        {site: good.Oversized(), want: refused},
		"gzip bomb":             {site: good.GzipBomb(), want: refused},
		"endless body":          {site: good.Endless(), want: refused},
		"private address":       {site: idptest.PrivateAddress(), want: refused},
		"delegation to no host": {site: idptest.Delegate("absent.example"), want: refused},
		"delegation to itself":  {site: idptest.Delegate(idp.Domain), want: refused},
		"delegation to down":    {site: idptest.Delegate("down.example"), want: unavailable},
		"delegation to address": {site: idptest.Delegate("127.0.0.1"), want: refused},
		"delegation to port":    {site: idptest.Delegate("down.example:8443"), want: refused},
	}
}

// documentFor serves the document only if the path and the domain are right (PROTOCOL §3).
func documentFor(idp *idptest.IdP) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/.well-known/browserid" || r.FormValue("domain") != idp.Domain {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Write(idp.Document().JSON())
	}
}

const (
	// shortTimeout is the deadline of the cases that only a deadline ends.
	shortTimeout = 200 * time.Millisecond
	// longTimeout is the deadline of all others. A case that takes so long was not
	// ended by its fault.
	longTimeout = time.Minute
)

func TestFaults(t *testing.T) {
	idp := idptest.New("idp.example").At(now)
	fallback := idptest.New("fallback.example", idptest.Key("RS256-2")).At(now)
	for name, f := range faults(idp) {
		t.Run(strings.ReplaceAll(name, " ", "-"), func(t *testing.T) {
			t.Parallel()
			s := newServer(t, fallback)
			s.Set("down.example", idptest.Status(500))
			s.Set(idp.Domain, f.site)
			if got := f.verify(t, s, idp, ""); got != f.want.itself {
				t.Errorf("by the domain, no fallback: %s, want %s", got, f.want.itself)
			}
			if got := f.verify(t, s, fallback, ""); got == okay {
				t.Error("by another domain: okay")
			}
			if got := f.verify(t, s, fallback, fallback.Domain); got != f.want.byFallback {
				t.Errorf("by the fallback: %s, want %s", got, f.want.byFallback)
			}
			if s.Dials(idp.Domain) < 3 {
				t.Error("the domain was not dialled each time")
			}
		})
	}
}

// verify returns the answer for a valid assertion of the issuer, and checks the time
// that it takes.
func (f fault) verify(t *testing.T, s *idptest.Server, issuer *idptest.IdP, fallback string) answer {
	c := s.Config()
	c.Timeout = longTimeout
	if f.stalls {
		c.Timeout = shortTimeout
	}
	user := idptest.Key("DS128")
	start := time.Now()
	r, err := verify(t, assertion.Config{Keys: newResolver(t, c), Fallback: fallback}, issuer.Backed(email, user, audience))
	took := time.Since(start)
	if f.stalls && took < shortTimeout {
		t.Errorf("took only %v: %v", took, err)
	}
	if took >= longTimeout {
		t.Errorf("took %v: %v", took, err)
	}
	return outcome(t, r, err)
}
