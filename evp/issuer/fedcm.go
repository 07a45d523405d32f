package issuer

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"

	"github.com/vepverify/vepverify/evp/internal/discovery"
)

// LoggedIn tells the browser that the visitor has signed in at the issuer. Call it on the
// response to the sign-in, before WriteHeader. A browser that was told LoggedOut asks for
// no token until then.
func LoggedIn(w http.ResponseWriter) { w.Header().Set("Set-Login", "logged-in") }

// LoggedOut tells the browser that the visitor has signed out. Call it on the response to
// the sign-out, before WriteHeader.
func LoggedOut(w http.ResponseWriter) { w.Header().Set("Set-Login", "logged-out") }

// account is an account as browsers read it.
type account struct {
	ID    string `json:"id"`
	Name  string `json:"name,omitempty"`
	Email string `json:"email"`
}

// serveAccounts handles AccountsPath. It answers browsers only: no script can set
// Sec-Fetch-Dest.
func (i *Issuer) serveAccounts(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	accounts, err := i.accountsForBrowser(r)
	if err != nil {
		i.refuse(w, r, err)
		return
	}
	list := make([]account, len(accounts))
	for n, a := range accounts {
		list[n] = account{a.ID, a.Name, a.Email}
		if a.ID == "" {
			list[n].ID = accountID(a.Email)
		}
	}
	body, _ := json.Marshal(map[string][]account{"accounts": list}) // strings: there is no error
	writeJSON(w, "no-store", body)
}

// accountsForBrowser returns the accounts of the session, at least one.
func (i *Issuer) accountsForBrowser(r *http.Request) ([]Account, error) {
	switch {
	case !hasDest(r, "webidentity"):
		return nil, errDest.because(nil)
	case !i.isOwnHost(r.Host):
		return nil, errHost.because(nil)
	}
	accounts, err := i.accounts(r)
	if err == nil && len(accounts) == 0 {
		return nil, errAuthenticate.because(errNoAccount)
	}
	return accounts, err
}

// accountID returns the ID of an account that has none.
func accountID(email string) string {
	sum := sha256.Sum256([]byte(discovery.Lower(email)))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}
