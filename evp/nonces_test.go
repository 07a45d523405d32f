package evp_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/evp"
)

// nonceTime is the time at which the tests of nonces begin.
var nonceTime = time.UnixMilli(1_700_000_000_000)

// unverified returns a text with the form of a token whose KB-JWT names a nonce.
func unverified(nonce string) string {
	claims, err := json.Marshal(map[string]string{"nonce": nonce})
	if err != nil {
		panic(err)
	}
	return "h.p.s~h." + base64.RawURLEncoding.EncodeToString(claims) + ".s"
}

// nonceBrowser is a browser that keeps the cookies of a Nonces.
type nonceBrowser struct {
	nonces  *evp.Nonces
	cookies []*http.Cookie
}

// do calls f with a request of the browser, and keeps the cookies of the response.
func (b *nonceBrowser) do(f func(http.ResponseWriter, *http.Request)) *http.Response {
	r, w := httptest.NewRequest("GET", "/", nil), httptest.NewRecorder()
	for _, c := range b.cookies {
		r.AddCookie(c)
	}
	f(w, r)
	if set := w.Result().Cookies(); len(set) > 0 {
		b.cookies = set
	}
	return w.Result()
}

func (b *nonceBrowser) issue(t testing.TB) (nonce string) {
	t.Helper()
	b.do(func(w http.ResponseWriter, r *http.Request) {
		var err error
		if nonce, err = b.nonces.Issue(w, r); err != nil {
			t.Fatal(err)
		}
	})
	return nonce
}

func (b *nonceBrowser) take(token string) (nonce string, err error) {
	b.do(func(w http.ResponseWriter, r *http.Request) { nonce, err = b.nonces.Take(w, r, token) })
	return nonce, err
}

// wantTaken fails the test unless the nonce is open.
func (b *nonceBrowser) wantTaken(t testing.TB, nonce string) {
	t.Helper()
	if got, err := b.take(unverified(nonce)); err != nil || got != nonce {
		t.Errorf("got %q, %v, want %q", got, err, nonce)
	}
}

// wantRefused fails the test unless the nonce is not open.
func (b *nonceBrowser) wantRefused(t testing.TB, nonce string) {
	t.Helper()
	if got, err := b.take(unverified(nonce)); got != "" || !errors.Is(err, evp.ErrNonce) {
		t.Errorf("got %q, %v, want ErrNonce", got, err)
	}
}

// newNonces returns Nonces in memory with a clock that the test sets.
func newNonces(t testing.TB, clock *time.Time, maxVisitors int) *evp.Nonces {
	t.Helper()
	nonces, err := evp.NewNonces(evp.NoncesConfig{
		Origins: []string{"https://rp.example"}, MaxVisitors: maxVisitors,
		Now: func() time.Time { return *clock },
	})
	if err != nil {
		t.Fatal(err)
	}
	return nonces
}

func TestNonces(t *testing.T) {
	clock := nonceTime
	ada := &nonceBrowser{nonces: newNonces(t, &clock, 0)}
	bob := &nonceBrowser{nonces: ada.nonces}

	first, tab := ada.issue(t), ada.issue(t)
	if !regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`).MatchString(first) || first == tab {
		t.Errorf("nonces %q and %q", first, tab)
	}
	bob.wantRefused(t, first) // without a cookie
	bob.issue(t)
	bob.wantRefused(t, first) // with another's cookie
	if _, err := ada.take(""); !errors.Is(err, evp.ErrNoToken) {
		t.Errorf("no token: %v", err)
	}
	ada.wantTaken(t, first)
	ada.wantRefused(t, first) // a second time
	ada.wantTaken(t, tab)     // the other tab
	ada.wantRefused(t, strings.Repeat("A", 43))

	late := ada.issue(t)
	clock = clock.Add(10*time.Minute - time.Millisecond)
	ada.wantTaken(t, late)
	late = ada.issue(t)
	clock = clock.Add(10 * time.Minute)
	ada.wantRefused(t, late)
}

// TestNoncesMalformed checks texts that name no nonce, and a token with a fault in another
// part, which uses up its nonce.
func TestNoncesMalformed(t *testing.T) {
	clock := nonceTime
	b := &nonceBrowser{nonces: newNonces(t, &clock, 0)}
	nonce := b.issue(t)
	claims := func(text string) string {
		return "h.p.s~h." + base64.RawURLEncoding.EncodeToString([]byte(text)) + ".s"
	}
	for _, c := range []struct {
		name, token string
		want        error
	}{
		{"text", "x", assertion.ErrMalformed},
		{"no KB-JWT", "h.p.s~", assertion.ErrMalformed},
		{"two parts", "h.p.s~h.p", assertion.ErrMalformed},
		{"not base64", "h.p.s~h.!.s", assertion.ErrMalformed},
		{"padding", "h.p.s~h.e30=.s", assertion.ErrMalformed},
		{"not JSON", claims("nonce"), assertion.ErrMalformed},
		{"an array", claims(`["nonce"]`), assertion.ErrMalformed},
		{"twice", claims(`{"nonce":"` + nonce + `","nonce":"` + nonce + `"}`), assertion.ErrMalformed},
		{"too long", unverified(nonce) + strings.Repeat("s", 16<<10), assertion.ErrMalformed},
		{"no nonce", claims(`{"aud":"x"}`), evp.ErrNonce},
		{"an empty nonce", claims(`{"nonce":""}`), evp.ErrNonce},
		{"a number", claims(`{"nonce":1}`), evp.ErrNonce},
		{"null", claims(`{"nonce":null}`), evp.ErrNonce},
		{"in the EVT only", "h." + strings.Split(unverified(nonce), ".")[3] + ".s~h.e30.s", evp.ErrNonce},
	} {
		if got, err := b.take(c.token); got != "" || !errors.Is(err, c.want) {
			t.Errorf("%s: got %q, %v", c.name, got, err)
		}
	}
	if _, err := b.take("broken~h." + strings.Split(unverified(nonce), ".")[3] + ".s"); err != nil {
		t.Errorf("a token with a fault elsewhere: %v", err)
	}
	b.wantRefused(t, nonce)
}

// TestNoncesLargeToken checks that a token that is too large is refused before it is parsed.
func TestNoncesLargeToken(t *testing.T) {
	clock := nonceTime
	b := &nonceBrowser{nonces: newNonces(t, &clock, 0)}
	token := "~" + strings.Repeat(".", 8<<20)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := b.take(token)
	runtime.ReadMemStats(&after)
	if !errors.Is(err, assertion.ErrMalformed) {
		t.Error(err)
	}
	if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
		t.Errorf("%d bytes were allocated", n)
	}
}

// TestNoncesLimits checks the number of open nonces of a visitor, and that of visitors.
func TestNoncesLimits(t *testing.T) {
	clock := nonceTime
	ada := &nonceBrowser{nonces: newNonces(t, &clock, 2)}
	var issued []string
	for range 9 {
		issued = append(issued, ada.issue(t))
	}
	ada.wantRefused(t, issued[0])
	for _, nonce := range issued[1:] {
		ada.wantTaken(t, nonce)
	}

	nonce := ada.issue(t)
	bob, eve := &nonceBrowser{nonces: ada.nonces}, &nonceBrowser{nonces: ada.nonces}
	evicted := bob.issue(t)
	ada.issue(t)
	eve.issue(t) // bob's were used least recently
	bob.wantRefused(t, evicted)
	ada.wantTaken(t, nonce)
	before := bob.cookies[0].Value
	bob.wantTaken(t, bob.issue(t))
	if bob.cookies[0].Value == before {
		t.Error("a cookie that is not known was accepted")
	}
}

// TestNoncesCookie checks the cookie of the store in memory.
func TestNoncesCookie(t *testing.T) {
	for _, c := range []struct {
		config evp.NoncesConfig
		want   string // without the value
	}{
		{evp.NoncesConfig{Origins: []string{"https://rp.example", "https://www.rp.example:8443"}},
			"__Host-evp=; Path=/; Max-Age=600; HttpOnly; Secure; SameSite=Lax"},
		{evp.NoncesConfig{Origins: []string{"https://rp.example"}, CookieName: "app"},
			"__Host-app=; Path=/; Max-Age=600; HttpOnly; Secure; SameSite=Lax"},
		{evp.NoncesConfig{Origins: []string{"http://localhost:8080"}},
			"evp-8080=; Path=/; Max-Age=600; HttpOnly; SameSite=Lax"},
		{evp.NoncesConfig{Origins: []string{"http://rp.localhost"}},
			"evp=; Path=/; Max-Age=600; HttpOnly; SameSite=Lax"},
	} {
		nonces, err := evp.NewNonces(c.config)
		if err != nil {
			t.Errorf("%+v: %v", c.config, err)
			continue
		}
		res := (&nonceBrowser{nonces: nonces}).do(func(w http.ResponseWriter, r *http.Request) {
			if _, err := nonces.Issue(w, r); err != nil {
				t.Error(err)
			}
		})
		got := regexp.MustCompile(`=[A-Za-z0-9_-]{43};`).ReplaceAllString(res.Header.Get("Set-Cookie"), "=;")
		if got != c.want || res.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("got %q, %q, want %q", got, res.Header.Get("Cache-Control"), c.want)
		}
	}
}

// TestNoncesHostileCookie checks cookies that this package has not set. Each is replaced.
func TestNoncesHostileCookie(t *testing.T) {
	clock := nonceTime
	nonces := newNonces(t, &clock, 0)
	for name, value := range map[string]string{
		"empty": "", "short": "AAAA", "not base64": strings.Repeat("!", 43), "loose bits": strings.Repeat("B", 43),
		"unknown": strings.Repeat("A", 43), "long": strings.Repeat("A", 4096),
	} {
		b := &nonceBrowser{nonces: nonces, cookies: []*http.Cookie{{Name: "__Host-evp", Value: value}}}
		b.wantRefused(t, "n")
		if b.cookies[0].Value != value {
			t.Errorf("%s: a post sets a cookie", name)
		}
		nonce := b.issue(t)
		if b.cookies[0].Value == value {
			t.Errorf("%s: the cookie was not replaced", name)
		}
		b.wantTaken(t, nonce)
	}
}

func TestNoncesConfig(t *testing.T) {
	https := []string{"https://rp.example"}
	for name, c := range map[string]evp.NoncesConfig{
		"no origin":        {},
		"not an origin":    {Origins: []string{"rp.example"}},
		"a wildcard":       {Origins: []string{"https://*.rp.example"}},
		"http":             {Origins: []string{"http://rp.example"}},
		"http and https":   {Origins: []string{"https://rp.example", "http://localhost"}},
		"a negative limit": {Origins: https, MaxVisitors: -1},
		"a bad name":       {Origins: https, CookieName: "a b"},
		"a name for https": {Origins: []string{"http://localhost"}, CookieName: "__secure-evp"},
		"a name for hosts": {Origins: []string{"http://localhost"}, CookieName: "__Host-evp"},
		"a nil store":      {Store: (*nilStore)(nil)},
	} {
		if nonces, err := evp.NewNonces(c); nonces != nil || !errors.Is(err, assertion.ErrMisuse) || !strings.HasPrefix(err.Error(), "evp: ") {
			t.Errorf("%s: %v, %v", name, nonces, err)
		}
	}
}

// nilStore is a store whose method needs a value.
type nilStore struct{ text string }

func (s *nilStore) UpdateNonces(_ http.ResponseWriter, _ *http.Request, change func(string) string) error {
	s.text = change(s.text)
	return nil
}

// TestUnmadeNonces checks the methods of Nonces that NewNonces has not made.
func TestUnmadeNonces(t *testing.T) {
	for name, nonces := range map[string]*evp.Nonces{"nil": nil, "zero": {}} {
		w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil)
		if nonce, err := nonces.Issue(w, r); nonce != "" || !errors.Is(err, assertion.ErrMisuse) {
			t.Errorf("%s: Issue: %q, %v", name, nonce, err)
		}
		if nonce, err := nonces.Take(w, r, "token"); nonce != "" || !errors.Is(err, assertion.ErrMisuse) {
			t.Errorf("%s: Take: %q, %v", name, nonce, err)
		}
	}
}

// TestNoncesAtOnce checks that of several POSTs of one token at the same time, one wins.
func TestNoncesAtOnce(t *testing.T) {
	clock := nonceTime
	b := &nonceBrowser{nonces: newNonces(t, &clock, 0)}
	token := unverified(b.issue(t))
	var won atomic.Int64
	var posts sync.WaitGroup
	for range 8 {
		posts.Go(func() {
			other := &nonceBrowser{nonces: b.nonces, cookies: b.cookies}
			if _, err := other.take(token); err == nil {
				won.Add(1)
			}
		})
	}
	posts.Wait()
	if won.Load() != 1 {
		t.Errorf("%d of 8 won", won.Load())
	}
}

// brokenStore is a NonceStore that fails.
type brokenStore struct{ err error }

func (s brokenStore) UpdateNonces(http.ResponseWriter, *http.Request, func(string) string) error {
	return s.err
}

func TestNoncesStoreFails(t *testing.T) {
	broken := errors.New("the database is down")
	nonces, err := evp.NewNonces(evp.NoncesConfig{Store: brokenStore{broken}})
	if err != nil {
		t.Fatal(err)
	}
	w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil)
	if nonce, err := nonces.Issue(w, r); nonce != "" || !errors.Is(err, assertion.ErrUndecided) || !errors.Is(err, broken) {
		t.Errorf("Issue: %q, %v", nonce, err)
	}
	if nonce, err := nonces.Take(w, r, unverified("n")); nonce != "" || !errors.Is(err, assertion.ErrUndecided) || !errors.Is(err, broken) {
		t.Errorf("Take: %q, %v", nonce, err)
	}
}

// textStore is a NonceStore of one visitor.
type textStore struct{ text string }

func (s *textStore) UpdateNonces(_ http.ResponseWriter, _ *http.Request, change func(string) string) error {
	s.text = change(s.text)
	return nil
}

// TestNoncesStoredText checks the length of a stored text, and that texts which are not of
// this package are ignored.
func TestNoncesStoredText(t *testing.T) {
	for _, stored := range []string{"", "x", "a. b.x .1 .. " + strings.Repeat("y ", 100), "n.99999999999999999999"} {
		store := &textStore{stored}
		nonces, err := evp.NewNonces(evp.NoncesConfig{Store: store, Now: func() time.Time { return nonceTime }})
		if err != nil {
			t.Fatal(err)
		}
		b := &nonceBrowser{nonces: nonces}
		for range 10 {
			b.issue(t)
		}
		if len(store.text) > 512 {
			t.Errorf("%d bytes are stored", len(store.text))
		}
		nonce := b.issue(t)
		b.wantRefused(t, "x")
		b.wantTaken(t, nonce)
		b.wantRefused(t, nonce)
	}
}

// FuzzNonces compares the store in memory with a model, for any sequence of forms, posts and
// waits of a few visitors. Each byte is one step.
func FuzzNonces(f *testing.F) {
	f.Add([]byte("\x00\x01\x02\x03\x40\x41\x80\xc0\xc5"))
	f.Add([]byte("\x00\x00\x00\x00\x00\x00\x00\x00\x00\x40\x44\x48\xbf\x40"))
	f.Fuzz(func(t *testing.T, steps []byte) {
		m := newModel(t)
		for _, step := range steps[:min(len(steps), 200)] {
			who, argument := int(step&3), int(step>>2&15)
			switch step >> 6 {
			case 0:
				m.issue(who)
			case 1:
				m.take(who, argument)
			case 2:
				m.wait(time.Duration(argument) * time.Minute)
			case 3:
				m.take((who+1)&3, argument)
			}
		}
	})
}

// model is a simple implementation of the store, beside the real one.
type model struct {
	t        *testing.T
	clock    time.Time
	browsers [4]*nonceBrowser
	open     [4][]modelNonce
	recent   []int // the visitors in memory, the least recently used first
	issued   []modelNonce
}

type modelNonce struct {
	nonce   string
	expires time.Time
}

// modelVisitors is the largest number of visitors of the store.
const modelVisitors = 3

func newModel(t *testing.T) *model {
	m := &model{t: t, clock: nonceTime}
	nonces := newNonces(t, &m.clock, modelVisitors)
	for i := range m.browsers {
		m.browsers[i] = &nonceBrowser{nonces: nonces}
	}
	return m
}

// use moves a visitor who is in memory, or who is added, to the end.
func (m *model) use(who int, add bool) {
	for i, other := range m.recent {
		if other == who {
			m.recent = append(append(m.recent[:i:i], m.recent[i+1:]...), who)
			return
		}
	}
	if !add {
		return
	}
	if m.recent = append(m.recent, who); len(m.recent) > modelVisitors {
		m.open[m.recent[0]] = nil
		m.recent = m.recent[1:]
	}
}

func (m *model) issue(who int) {
	issued := modelNonce{m.browsers[who].issue(m.t), m.clock.Add(10 * time.Minute)}
	m.use(who, true)
	var open []modelNonce
	for _, o := range m.open[who] {
		if m.clock.Before(o.expires) {
			open = append(open, o)
		}
	}
	if open = append(open, issued); len(open) > 8 {
		open = open[1:]
	}
	m.open[who] = open
	m.issued = append(m.issued, issued)
}

// take posts a token with one of the nonces that were issued last.
func (m *model) take(who, back int) {
	if back >= len(m.issued) {
		return
	}
	nonce := m.issued[len(m.issued)-1-back].nonce
	m.use(who, false)
	want := false
	for i, o := range m.open[who] {
		if o.nonce == nonce && m.clock.Before(o.expires) {
			want = true
			m.open[who] = append(m.open[who][:i:i], m.open[who][i+1:]...)
			break
		}
	}
	if _, err := m.browsers[who].take(unverified(nonce)); (err == nil) != want {
		m.t.Fatalf("visitor %d: %v, want it open: %v", who, err, want)
	}
}

func (m *model) wait(d time.Duration) { m.clock = m.clock.Add(d) }

// A form with a nonce, and the POST of a token that names it. Nothing here verifies the token.
func ExampleNonces() {
	nonces, err := evp.NewNonces(evp.NoncesConfig{Origins: []string{"https://rp.example"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	form, request := httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil)
	nonce, err := nonces.Issue(form, request)
	if err != nil {
		fmt.Println(err) // show the form all the same: it works without a token
	}
	fmt.Println(form.Header().Get("Cache-Control"))

	post := httptest.NewRequest("POST", "/login", nil)
	post.AddCookie(form.Result().Cookies()[0])
	for _, token := range []string{"", unverified(nonce), unverified(nonce)} {
		named, err := nonces.Take(httptest.NewRecorder(), post, token)
		switch {
		case err == nil:
			fmt.Println("verify the token with this nonce:", named == nonce)
		case errors.Is(err, evp.ErrNoToken):
			fmt.Println("mail a code")
		case errors.Is(err, assertion.ErrUndecided):
			fmt.Println("log that the store fails, and mail a code")
		default:
			fmt.Println("log why, and mail a code")
		}
	}
	// Output:
	// no-store
	// mail a code
	// verify the token with this nonce: true
	// log why, and mail a code
}
