package evptest

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// Errors of a [Browser].
var (
	// ErrNoForm means that the page has no form with a field for an email address.
	ErrNoForm = errors.New("no form with a field for an email address")
	// ErrNoTokenField means that the form has no field for a token, or one that is not of
	// the type hidden.
	ErrNoTokenField = errors.New("no hidden field with autocomplete=email-verification-token")
	// ErrAutocompleteOff means that the field for the address has autocomplete=off.
	ErrAutocompleteOff = errors.New("autocomplete=off in the field for an email address")
	// ErrInsecure means that the origin is neither https nor http at localhost.
	ErrInsecure = errors.New("the page is not in a secure context")
	// ErrNoNonce means that the field for the token has no nonce, or that a
	// Content-Security-Policy hides it.
	ErrNoNonce = errors.New("no nonce in the field for the token")
)

// Browser is a pretended browser with one tab, in which a person signs in to a relying
// party. It keeps cookies, follows redirects, and posts a token as Chromium does.
//
// Scripts of the page do not run. But the nonce is read as if they had: Chromium 156
// empties the attribute nonce of a page with a Content-Security-Policy, and a script can
// set it again (docs/EVP.md). NoScript is for pages that must work without.
type Browser struct {
	// World makes the tokens. If a handler answers for the issuer's host
	// (World.SetHandler), the browser asks that issuer for them.
	World *World
	// Handler is the relying party.
	Handler http.Handler
	// Origin is the origin at which it is served, such as "https://rp.example".
	Origin string
	// Accounts are the addresses of which the user is signed in to the issuer. Nil means
	// all. For other addresses the browser posts no token.
	Accounts []string
	// Private means that the issuer marks the address as a private one.
	Private bool
	// Holder is the key that signs the KB-JWT. The zero Key means that of Request.Holder.
	Holder Key
	// Session are the cookies of the user's session at an issuer that is a handler.
	Session []*http.Cookie
	// NoScript means that a Content-Security-Policy of the page hides the nonce.
	NoScript bool

	jar *cookiejar.Jar
}

// NewBrowser returns a browser without cookies.
func NewBrowser(world *World, handler http.Handler, origin string) *Browser {
	return &Browser{World: world, Handler: handler, Origin: origin}
}

// Page is a page that a browser has loaded.
type Page struct {
	// URL is its address, after redirects.
	URL *url.URL
	// Status, Header and Body are those of the last response.
	Status int
	Header http.Header
	Body   string

	browser *Browser
}

// maxRedirects is the number of redirects that a browser follows.
const maxRedirects = 10

// Open loads a page of the relying party, such as "/login".
func (b *Browser) Open(path string) (*Page, error) {
	origin, err := url.Parse(b.Origin + "/")
	if err != nil {
		return nil, err
	}
	target, err := origin.Parse(path)
	if err != nil {
		return nil, err
	}
	return b.load(http.MethodGet, target, nil)
}

// load requests a page and follows redirects.
func (b *Browser) load(method string, target *url.URL, form url.Values) (*Page, error) {
	for range maxRedirects {
		if got := target.Scheme + "://" + target.Host; got != b.Origin {
			return nil, fmt.Errorf("%s %s: another origin", method, target)
		}
		response := b.exchange(method, target, form)
		location, err := response.Location()
		if response.StatusCode/100 != 3 || err != nil {
			return b.page(target, response)
		}
		if code := response.StatusCode; code != http.StatusTemporaryRedirect && code != http.StatusPermanentRedirect {
			method, form = http.MethodGet, nil
		}
		target = target.ResolveReference(location)
	}
	return nil, fmt.Errorf("over %d redirects", maxRedirects)
}

// exchange sends one request, with cookies.
func (b *Browser) exchange(method string, target *url.URL, form url.Values) *http.Response {
	if b.jar == nil {
		b.jar, _ = cookiejar.New(nil) // it returns no error
	}
	sent := *target
	sent.Fragment = ""
	var body io.Reader
	if method == http.MethodPost {
		body = strings.NewReader(form.Encode())
	}
	request := httptest.NewRequest(method, sent.String(), body)
	request.Header.Set("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
	request.Header.Set("Sec-Fetch-Site", "none")
	request.Header.Set("Sec-Fetch-Mode", "navigate")
	request.Header.Set("Sec-Fetch-Dest", "document")
	if method == http.MethodPost {
		request.Header.Set("Sec-Fetch-Site", "same-origin")
		request.Header.Set("Origin", b.Origin)
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, cookie := range b.jar.Cookies(target) {
		request.AddCookie(cookie)
	}
	recorder := httptest.NewRecorder()
	b.Handler.ServeHTTP(recorder, request)
	response := recorder.Result()
	response.Request = request
	b.jar.SetCookies(target, response.Cookies())
	return response
}

func (b *Browser) page(at *url.URL, response *http.Response) (*Page, error) {
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	return &Page{at, response.StatusCode, response.Header, string(body), b}, nil
}

// SignIn opens the page, types the address and submits the form, with a token that has
// the faults. The errors are those of [Page.Type] and [Form.Token]. If the user is not
// signed in to the address, the form is submitted without a token.
func (b *Browser) SignIn(path, email string, faults ...TokenFault) (*Page, error) {
	page, err := b.Open(path)
	if err != nil {
		return nil, err
	}
	form, err := page.Type(email)
	if err != nil {
		return nil, err
	}
	token, err := form.Token(faults...)
	if err != nil {
		return nil, err
	}
	return form.Submit(token)
}

// SignInWithout is SignIn by a browser that knows no email verification: the field for
// the token stays as it is.
func (b *Browser) SignInWithout(path, email string) (*Page, error) {
	page, err := b.Open(path)
	if err != nil {
		return nil, err
	}
	form, err := page.Type(email)
	if err != nil {
		return nil, err
	}
	return form.Submit("")
}

// Form is a form of a page, with the values of its fields.
type Form struct {
	// Email is the address that was typed.
	Email string
	// Nonce is the attribute nonce of the field for the token, as the browser reads it.
	Nonce string
	// Values are the values of all fields. A test may change them.
	Values url.Values

	page           *Page
	method, action string
	emailField     *html.Node
	tokenField     *html.Node
}

// Type types an address into the first form that has a field for one: an input whose type
// or autocomplete is email. It returns an error matching [ErrNoForm] if there is none.
func (p *Page) Type(email string) (*Form, error) {
	f, err := p.find(func(f *Form) bool { return f.emailField != nil })
	if err != nil {
		return nil, err
	}
	f.Email = email
	f.Values.Set(attribute(f.emailField, "name"), email)
	return f, nil
}

// Form returns the first form that has a field of that name, for pages without a field for
// an address. It returns an error matching [ErrNoForm] if there is none.
func (p *Page) Form(field string) (*Form, error) {
	return p.find(func(f *Form) bool { return f.Values.Has(field) })
}

// find returns the first form that is wanted.
func (p *Page) find(wanted func(*Form) bool) (*Form, error) {
	root, err := html.Parse(strings.NewReader(p.Body))
	if err != nil {
		return nil, err
	}
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && n.Data == "form" {
			if f := p.form(n); wanted(f) {
				return f, nil
			}
		}
	}
	return nil, ErrNoForm
}

// form returns the form of an element.
func (p *Page) form(element *html.Node) *Form {
	f := &Form{
		Values: url.Values{}, page: p,
		method: strings.ToUpper(attribute(element, "method")), action: attribute(element, "action"),
	}
	for n := range element.Descendants() {
		if n.Type != html.ElementNode || n.Data != "input" {
			continue
		}
		switch {
		case f.emailField == nil && isEmailField(n):
			f.emailField = n
		case f.tokenField == nil && isTokenField(n):
			f.tokenField, f.Nonce = n, p.visibleNonce(n)
		}
		f.set(n)
	}
	return f
}

// set adds the value of a field that was not changed.
func (f *Form) set(n *html.Node) {
	name, kind := attribute(n, "name"), strings.ToLower(attribute(n, "type"))
	unchecked := (kind == "checkbox" || kind == "radio") && !hasAttribute(n, "checked")
	if name == "" || unchecked || kind == "submit" || kind == "button" || hasAttribute(n, "disabled") {
		return
	}
	f.Values.Add(name, attribute(n, "value"))
}

func isEmailField(n *html.Node) bool {
	return strings.EqualFold(attribute(n, "type"), "email") || autocompletes(n, "email")
}

func isTokenField(n *html.Node) bool {
	return strings.EqualFold(attribute(n, "type"), "hidden") && autocompletes(n, "email-verification-token")
}

// autocompletes reports whether the attribute autocomplete has that word.
func autocompletes(n *html.Node, word string) bool {
	return slices.Contains(strings.Fields(strings.ToLower(attribute(n, "autocomplete"))), word)
}

// visibleNonce returns the nonce of a field as the browser reads it.
func (p *Page) visibleNonce(n *html.Node) string {
	policy := p.Header.Get("Content-Security-Policy") + p.Header.Get("Content-Security-Policy-Report-Only")
	if p.browser.NoScript && policy != "" {
		return ""
	}
	return attribute(n, "nonce")
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func hasAttribute(n *html.Node, name string) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == name })
}

// Token asks the issuer for a token, as the browser does when the address field loses the
// focus. The token has the faults. It is empty if the browser would post none, because the
// user is not signed in to that address. The error matches [ErrNoTokenField],
// [ErrAutocompleteOff], [ErrInsecure] or [ErrNoNonce] if the page is at fault: browsers
// then post no token either, and say nothing.
func (f *Form) Token(faults ...TokenFault) (string, error) {
	b := f.page.browser
	switch {
	case f.tokenField == nil:
		return "", ErrNoTokenField
	case f.emailField == nil:
		return "", ErrNoForm
	case attribute(f.emailField, "autocomplete") == "off":
		return "", ErrAutocompleteOff
	case !b.isSecure():
		return "", ErrInsecure
	case f.Nonce == "":
		return "", ErrNoNonce
	case b.Accounts != nil && !slices.Contains(b.Accounts, f.Email):
		return "", nil
	}
	r := Request{Email: f.Email, Origin: b.Origin, Nonce: f.Nonce, Private: b.Private, Holder: b.Holder}
	token, found := b.ask(r)
	switch {
	case !found:
		return b.World.Token(r, faults...), nil
	case len(faults) > 0:
		return "", errors.New("a fault, and an issuer that is a handler: it makes the token")
	}
	return token, nil
}

// isSecure reports whether the origin is a secure context.
func (b *Browser) isSecure() bool {
	u, err := url.Parse(b.Origin)
	if err != nil {
		return false
	}
	switch host := u.Hostname(); host {
	case "localhost", "127.0.0.1", "::1":
		return true
	default:
		return u.Scheme == "https" || strings.HasSuffix(host, ".localhost")
	}
}

// Submit submits the form with that token. An empty token leaves the field as it is. A
// form may be submitted several times, as a user does who presses the button twice.
func (f *Form) Submit(token string) (*Page, error) {
	values := url.Values{}
	for name, all := range f.Values {
		values[name] = slices.Clone(all)
	}
	if token != "" && f.tokenField != nil {
		values.Set(attribute(f.tokenField, "name"), token)
	}
	target, err := f.page.URL.Parse(f.action)
	if err != nil {
		return nil, err
	}
	if f.method != http.MethodPost {
		target.RawQuery = values.Encode()
		return f.page.browser.load(http.MethodGet, target, nil)
	}
	return f.page.browser.load(http.MethodPost, target, values)
}
