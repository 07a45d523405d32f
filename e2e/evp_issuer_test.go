package e2e

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/vepverify/vepverify/evp/issuer"
)

// issuerSession is the session of a visitor at an issuer.
const issuerSession = "session"

// addSession adds a page that signs in, and one that signs out.
func addSession(mux *http.ServeMux) {
	set := func(w http.ResponseWriter, maxAge int) {
		http.SetCookie(w, &http.Cookie{
			Name: issuerSession, Value: "open", MaxAge: maxAge, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteNoneMode,
		})
	}
	mux.HandleFunc("GET /login", func(w http.ResponseWriter, _ *http.Request) {
		set(w, 0)
		issuer.LoggedIn(w)
		_, _ = io.WriteString(w, "welcome")
	})
	mux.HandleFunc("GET /logout", func(w http.ResponseWriter, _ *http.Request) {
		set(w, -1)
		issuer.LoggedOut(w)
		_, _ = io.WriteString(w, "good-bye")
	})
}

// inSession reports whether a visitor is signed in at the issuer.
func inSession(r *http.Request) bool {
	_, err := r.Cookie(issuerSession)
	return err == nil
}

// issuerKeys returns the keys of the issuers of all tests. They are shared because making
// those of RSA is slow.
var issuerKeys = func() func(alg string) *issuer.Keys {
	var all sync.Map
	return func(alg string) *issuer.Keys {
		make, _ := all.LoadOrStore(alg, sync.OnceValue(func() *issuer.Keys {
			k, err := issuer.GenerateKeys(alg)
			must(err)
			return k
		}))
		return make.(func() *issuer.Keys)()
	}
}()

// newIssuer serves an issuer, of package issuer, whose visitors control the accounts.
func (w *evpWorld) newIssuer(alg string, accounts ...issuer.Account) *issuer.Issuer {
	w.t.Helper()
	i, err := issuer.New(issuer.Config{
		Issuer: "https://" + w.issuer, Keys: issuerKeys(alg), LoginURL: "/login",
		Accounts: func(r *http.Request) ([]issuer.Account, error) {
			if inSession(r) {
				return accounts, nil
			}
			return nil, nil
		},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	mux := http.NewServeMux()
	addSession(mux)
	mux.Handle("/", i)
	w.serveIssuer(mux)
	return i
}

// account returns the account of a user of the email domain.
func (w *evpWorld) account(user string) issuer.Account { return issuer.Account{Email: w.at(user)} }

// plainIssuer is an issuer whose tokens have a kid that those of package issuer never have.
type plainIssuer struct {
	host      string
	alg       string
	kid       any // nil means that the header has none
	signer    crypto.Signer
	addresses []string
}

// newPlainIssuer serves an issuer whose visitors control the addresses.
func (w *evpWorld) newPlainIssuer(alg string, kid any, addresses ...string) *plainIssuer {
	i := &plainIssuer{host: w.issuer, alg: alg, kid: kid, addresses: addresses, signer: signerFor(alg)}
	w.serveIssuer(i.handler())
	return i
}

func signerFor(alg string) crypto.Signer {
	var signer crypto.Signer
	var err error
	switch alg {
	case "ES256":
		signer, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "RS256":
		signer, err = rsa.GenerateKey(rand.Reader, 2048)
	default:
		_, signer, err = ed25519.GenerateKey(rand.Reader)
	}
	must(err)
	return signer
}

func (i *plainIssuer) url(path string) string { return "https://" + i.host + path }

func (i *plainIssuer) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/email-verification", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, map[string]any{"issuer": i.url(""), "issuance_endpoint": i.url("/issue"), "jwks_uri": i.url("/jwks"), "signing_alg_values_supported": []string{i.alg}})
	})
	mux.HandleFunc("GET /jwks", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, map[string]any{"keys": []any{i.jwk()}}) })
	mux.HandleFunc("GET /.well-known/web-identity", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, map[string]any{"accounts_endpoint": i.url("/accounts"), "login_url": i.url("/login")})
	})
	mux.HandleFunc("GET /accounts", i.accounts)
	mux.HandleFunc("POST /issue", i.issue)
	addSession(mux)
	return mux
}

func (i *plainIssuer) accounts(w http.ResponseWriter, r *http.Request) {
	list := []any{}
	for n, address := range i.addresses {
		list = append(list, map[string]any{"id": fmt.Sprint(n), "name": "Alice", "email": address})
	}
	if !inSession(r) {
		w.WriteHeader(http.StatusUnauthorized)
		list = nil
	}
	writeJSON(w, map[string]any{"accounts": list})
}

// jwk returns the public key.
func (i *plainIssuer) jwk() map[string]any {
	jwk := map[string]any{}
	b64 := base64.RawURLEncoding.EncodeToString
	switch key := i.signer.Public().(type) {
	case ed25519.PublicKey:
		jwk["kty"], jwk["crv"], jwk["x"] = "OKP", "Ed25519", b64(key)
	case *ecdsa.PublicKey:
		point, err := key.Bytes()
		must(err)
		jwk["kty"], jwk["crv"], jwk["x"], jwk["y"] = "EC", "P-256", b64(point[1:33]), b64(point[33:])
	case *rsa.PublicKey:
		jwk["kty"], jwk["n"], jwk["e"] = "RSA", b64(key.N.Bytes()), "AQAB"
	}
	if text, _ := i.kid.(string); text != "" {
		jwk["kid"] = text
	}
	return jwk
}

// issue issues a token for any address that the body names. It checks the session only:
// the checks of the request are those of package issuer.
func (i *plainIssuer) issue(w http.ResponseWriter, r *http.Request) {
	var asked struct{ Email string }
	if json.NewDecoder(r.Body).Decode(&asked) != nil || !inSession(r) {
		http.Error(w, `{"error":"authentication_required"}`, http.StatusUnauthorized)
		return
	}
	holder := map[string]string{} // Signature-Key: sig=hwk;alg="Ed25519";crv="Ed25519";kty="OKP";x="…"
	for _, member := range strings.Split(r.Header.Get("Signature-Key"), ";")[1:] {
		name, value, _ := strings.Cut(member, "=")
		holder[name] = strings.Trim(value, `"`)
	}
	claims := map[string]any{"iss": i.url(""), "iat": time.Now().Unix(), "cnf": map[string]any{"jwk": holder}, "email": asked.Email, "email_verified": true}
	writeJSON(w, map[string]any{"issuance_token": i.sign(claims) + "~"})
}

// sign returns a JWS.
func (i *plainIssuer) sign(claims map[string]any) string {
	header := map[string]any{"alg": i.alg, "typ": "evt+jwt"}
	if i.kid != nil {
		header["kid"] = i.kid
	}
	part := func(v any) string {
		text, err := json.Marshal(v)
		must(err)
		return base64.RawURLEncoding.EncodeToString(text)
	}
	signed := part(header) + "." + part(claims)
	digest := sha256.Sum256([]byte(signed))
	var signature []byte
	var err error
	switch key := i.signer.(type) {
	case ed25519.PrivateKey:
		signature = ed25519.Sign(key, []byte(signed))
	case *ecdsa.PrivateKey:
		r, s, fault := ecdsa.Sign(rand.Reader, key, digest[:])
		must(fault)
		signature = append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	case *rsa.PrivateKey:
		signature, err = rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
	}
	must(err)
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
}
