package evptest

import (
	"bytes"
	"crypto/elliptic"
	"encoding/base64"
	"fmt"
	"math/big"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"code.dny.dev/ssrf"
)

// Expectation is what a verifier must say about a fault.
type Expectation struct {
	// Name is the name of the fault, such as "nonce-other".
	Name string
	// Rule is the name of the rule in docs/EVP.md.
	Rule string
	// Err is what the error of Verify matches under the default profile, for errors.Is.
	// Nil means that the token is accepted.
	Err error
	// Draft02 is the same under the profile Draft02.
	Draft02 error
}

// TokenFault is one way in which a token is wrong, or differs from others.
type TokenFault struct {
	Expectation
	change func(Pair) Pair
}

// NetworkFault is one way in which DNS, or an issuer's host, is wrong or fails.
type NetworkFault struct {
	Expectation
	change func(*World, *Issuer)
}

// breaks returns a fault that both profiles refuse.
func breaks(name, rule string, class error, change func(Pair) Pair) TokenFault {
	return TokenFault{Expectation{name, rule, class, class}, change}
}

// admitted returns a fault that the default profile accepts.
func admitted(name, rule string, draft02 error, change func(Pair) Pair) TokenFault {
	return TokenFault{Expectation{name, rule, nil, draft02}, change}
}

// accepted returns a variation that both profiles accept.
func accepted(name, rule string, change func(Pair) Pair) TokenFault {
	return TokenFault{Expectation{Name: name, Rule: rule}, change}
}

func networkBreaks(name, rule string, class error, change func(*World, *Issuer)) NetworkFault {
	return NetworkFault{Expectation{name, rule, class, class}, change}
}

func networkAdmitted(name, rule string, draft02 error, change func(*World, *Issuer)) NetworkFault {
	return NetworkFault{Expectation{name, rule, nil, draft02}, change}
}

func networkAccepted(name, rule string, change func(*World, *Issuer)) NetworkFault {
	return NetworkFault{Expectation{Name: name, Rule: rule}, change}
}

// edits of pairs

func rewrite(f func(string) string) func(Pair) Pair {
	return func(p Pair) Pair { p.Rewrite = f; return p }
}

func editEVT(f func(JWS) JWS) func(Pair) Pair { return func(p Pair) Pair { return p.EditEVT(f) } }

func editKB(f func(JWS) JWS) func(Pair) Pair { return func(p Pair) Pair { return p.EditKB(f) } }

func evtClaim(name string, value any) func(Pair) Pair {
	return editEVT(func(j JWS) JWS { return j.With(name, value) })
}

func kbClaim(name string, value any) func(Pair) Pair {
	return editKB(func(j JWS) JWS { return j.With(name, value) })
}

func withoutEVT(name string) func(Pair) Pair {
	return editEVT(func(j JWS) JWS { return j.Without(name) })
}

func withoutKB(name string) func(Pair) Pair {
	return editKB(func(j JWS) JWS { return j.Without(name) })
}

func evtHeader(name string, value any) func(Pair) Pair {
	return editEVT(func(j JWS) JWS { return j.WithHeader(name, value) })
}

func kbHeader(name string, value any) func(Pair) Pair {
	return editKB(func(j JWS) JWS { return j.WithHeader(name, value) })
}

func signEVT(sign func([]byte) ([]byte, error)) func(Pair) Pair {
	return func(p Pair) Pair { p.EVT.Sign = sign; return p }
}

func signKB(sign func([]byte) ([]byte, error)) func(Pair) Pair {
	return func(p Pair) Pair { p.KB.Sign = sign; return p }
}

func editJWK(f func(Object) Object) func(Pair) Pair {
	return editEVT(func(j JWS) JWS {
		return j.With("cnf", Object{"jwk": f(object(object(j.Claim("cnf"))["jwk"]))})
	})
}

func jwk(name string, value any) func(Pair) Pair {
	return editJWK(func(o Object) Object { return o.With(name, value) })
}

func evtOf(p *Pair) *JWS { return &p.EVT }
func kbOf(p *Pair) *JWS  { return &p.KB }

// shift moves the iat of one part.
func shift(part func(*Pair) *JWS, d time.Duration) func(Pair) Pair {
	return func(p Pair) Pair {
		j := part(&p)
		*j = j.With("iat", p.issuedAt()+int64(d/time.Second))
		return p
	}
}

func fourMinutesOld(p Pair) Pair {
	return shift(evtOf, -4*time.Minute)(shift(kbOf, -4*time.Minute)(p))
}

// issuedAt returns the iat of the EVT, in seconds.
func (p Pair) issuedAt() int64 {
	at, ok := p.EVT.Claim("iat").(int64)
	if !ok {
		panic("evptest: a fault of times after a fault of iat")
	}
	return at
}

// after sets a claim of the EVT to a time after its iat.
func after(name string, d time.Duration) func(Pair) Pair {
	return func(p Pair) Pair { return evtClaim(name, p.issuedAt()+int64(d/time.Second))(p) }
}

// duplicate repeats a claim of one part.
func duplicate(name string, part func(*Pair) *JWS) func(Pair) Pair {
	return func(p Pair) Pair {
		j := part(&p)
		claims := mustEncode(j.Claims)
		again := mustEncode(Object{name: j.Claim(name)})
		j.Claims = Raw(string(claims[:len(claims)-1]) + "," + string(again[1:]))
		return p
	}
}

func mustEncode(value any) []byte {
	text, err := encode(value)
	if err != nil {
		panic("evptest: " + err.Error())
	}
	return text
}

// tooLong makes a token of about 22 KiB.
func tooLong(p Pair) Pair { return evtClaim("padding", strings.Repeat("x", 16<<10))(p) }

// disclosure adds a disclosure of SD-JWT, which the sd_hash covers.
func disclosure(p Pair) Pair {
	text := base64url([]byte(`["c2FsdA","name","Alice"]`))
	p.EVT.Rewrite = func(evt string) string { return evt + "~" + text }
	return p
}

func (p Pair) fourParts() Pair {
	p.EVT.Rewrite = func(evt string) string { return evt + "." }
	return p
}

func (p Pair) padded() Pair {
	p.EVT = untilLength(p.EVT)
	p.EVT.EncodeClaims = base64.URLEncoding.EncodeToString
	return p
}

// untilLength returns an EVT whose claims have a length that needs padding.
func untilLength(j JWS) JWS {
	for len(mustEncode(j.Claims))%3 == 0 {
		j = j.With("padding", strings.Repeat("x", len(mustEncode(j.Claims))%7))
	}
	return j
}

// standardAlphabet encodes the signature of the KB-JWT in base64. It sets a claim that no
// verifier reports until the signature has a character that differs.
func (p Pair) standardAlphabet() Pair {
	for try := 0; !strings.ContainsAny(lastPart(p.String()), "-_"); try++ {
		p.KB = p.KB.With("try", try)
	}
	p.KB.EncodeSignature = base64.RawStdEncoding.EncodeToString
	return p
}

func lastPart(text string) string { return text[strings.LastIndexByte(text, '.')+1:] }

func (p Pair) looseBits() Pair {
	p.EVT.EncodeSignature = looseBits
	return p
}

// looseBits is base64url with the unused bits of the last character set.
func looseBits(data []byte) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	s := base64url(data)
	unused := [...]int{0, 0, 0b1111, 0b11}[len(s)%4]
	if unused == 0 {
		panic("evptest: no unused bits in a signature of this length")
	}
	last := strings.IndexByte(alphabet, s[len(s)-1])
	return s[:len(s)-1] + alphabet[last|unused:][:1]
}

func (p Pair) invalidUTF8() Pair {
	claims := mustEncode(p.EVT.With("name", "Alice").Claims)
	p.EVT.Claims = Raw(bytes.Replace(claims, []byte("Alice"), []byte("Alic\xe9"), 1))
	return p
}

func (p Pair) issuedAtFraction() Pair {
	return evtClaim("iat", Raw(fmt.Sprint(p.issuedAt(), ".0")))(p)
}

func (p Pair) otherHeaders() Pair {
	return kbHeader("kid", "browser")(evtHeader("x", Object{"y": 1})(p))
}

func (p Pair) otherClaims() Pair {
	return kbClaim("sub", "x")(evtClaim("name", "Alice")(evtClaim("jti", "1")(p)))
}

// editEmail changes the address.
func (p Pair) editEmail(f func(local, domain string) string) Pair {
	return p.EditEVT(func(j JWS) JWS {
		local, domain, _ := strings.Cut(fmt.Sprint(j.Claim("email")), "@")
		return j.With("email", f(local, domain))
	})
}

func (p Pair) domainCapitals() Pair {
	return p.editEmail(func(local, domain string) string { return local + "@" + strings.ToUpper(domain) })
}

func (p Pair) emailTooLong() Pair {
	return p.editEmail(func(_, domain string) string {
		return strings.Repeat("a", 254-len(domain)) + "@" + domain
	})
}

func (p Pair) ofAnother() Pair {
	return p.editEmail(func(local, domain string) string { return "not-" + local + "@" + domain })
}

func (p Pair) otherCase() Pair {
	return p.editEmail(func(local, domain string) string { return strings.ToUpper(local) + "@" + domain })
}

// malleated negates s of the ES256 signature of the KB-JWT.
func (p Pair) malleated() Pair {
	p = p.HeldBy(TestKey("ES256-2"))
	p.KB.Alter = func(signature []byte) []byte {
		s := new(big.Int).SetBytes(signature[32:])
		s.Sub(elliptic.P256().Params().N, s).FillBytes(signature[32:])
		return signature
	}
	return p
}

func flip(signature []byte) []byte {
	signature[len(signature)/2] ^= 1
	return signature
}

// edits of worlds, whose lock is held

// record sets the answer for all domains of the issuer.
func record(answer TXT) func(*World, *Issuer) {
	return func(w *World, i *Issuer) {
		for _, domain := range i.Domains {
			w.txt[RecordName(domain)] = []TXT{answer}
		}
	}
}

func records(f func(record string) []string) func(*World, *Issuer) {
	return func(w *World, i *Issuer) { record(Records(f(i.Record())...))(w, i) }
}

func recordChanges(w *World, i *Issuer) {
	for _, domain := range i.Domains {
		w.txt[RecordName(domain)] = []TXT{Records(i.Record()), Records("iss=other.example")}
	}
}

func metadataURL(i *Issuer) string { return i.MetadataURL() }
func keysURL(i *Issuer) string     { return i.KeysURL() }

func metadata(r Response) func(*World, *Issuer) {
	return func(w *World, i *Issuer) { w.sites[i.MetadataURL()] = []Response{r} }
}

func keySet(r Response) func(*World, *Issuer) {
	return func(w *World, i *Issuer) { w.sites[i.KeysURL()] = []Response{r} }
}

func editMetadata(f func(Object) Object) func(*World, *Issuer) {
	return func(w *World, i *Issuer) { metadata(JSON(f(i.Metadata())))(w, i) }
}

// editResponse changes the response that the URL has now.
func editResponse(url func(*Issuer) string, f func(Response) Response) func(*World, *Issuer) {
	return func(w *World, i *Issuer) {
		all := w.sites[url(i)]
		w.sites[url(i)] = []Response{f(all[len(all)-1])}
	}
}

func metadataRedirect(w *World, i *Issuer) {
	elsewhere := i.URL() + "/metadata"
	w.sites[elsewhere] = w.sites[i.MetadataURL()]
	metadata(Redirect(elsewhere))(w, i)
}

// editKeys changes the array of the issuer's keys.
func editKeys(f func([]any) any) func(*World, *Issuer) {
	return func(w *World, i *Issuer) {
		var all []any
		for _, key := range i.Keys {
			all = append(all, key.Published())
		}
		keySet(JSON(Object{"keys": f(all)}))(w, i)
	}
}

func eachKey(f func(Object) Object) func(*World, *Issuer) {
	return editKeys(func(all []any) any {
		for n := range all {
			all[n] = f(all[n].(Object))
		}
		return all
	})
}

// keysReplaced publishes another key under the kid of the first.
func keysReplaced(w *World, i *Issuer) {
	stranger := TestKey("Ed25519-3").WithID(i.Keys[0].ID)
	keySet(JSON(Object{"keys": []any{stranger.Published()}}))(w, i)
}

// keysAfter publishes n other keys with the kid of the first key before it.
func keysAfter(n int) func(*World, *Issuer) {
	return func(w *World, i *Issuer) {
		var all []any
		for _, s := range strangers(n) {
			all = append(all, s.(Object).With("kid", i.Keys[0].ID))
		}
		keySet(JSON(Object{"keys": append(all, i.Keys[0].Published())}))(w, i)
	}
}

// strangers returns n published Ed25519 keys that sign nothing.
func strangers(n int) []any {
	return slices.Repeat([]any{TestKey("Ed25519-3").WithID("stranger").Published()}, n)
}

// Reset returns the response of a host that resets the connection.
func Reset() Response {
	return Response{Err: &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}}
}

// PrivateAddress returns the response of a host whose address is 10.0.0.1. The answer of
// DNS is simulated. The error is that of the guard of package code.dny.dev/ssrf, which
// refuses the address before anything is sent.
func PrivateAddress() Response {
	guarded := net.Dialer{Control: ssrf.New().Safe}
	conn, err := guarded.Dial("tcp", "10.0.0.1:443")
	if err == nil {
		conn.Close()
		panic("evptest: the guard accepted a private address")
	}
	return Response{Err: err}
}
