package evpdemo

import (
	"crypto/rand"
	"fmt"
	"math/big"
	"net/http"
	"sync"

	"github.com/vepverify/vepverify/internal/bounded"
)

// maxCodes is the number of codes that are open. The oldest beyond that is forgotten.
const maxCodes = 100

// codes are the codes that visitors without a token have got. Each is bound to a browser by a
// cookie.
type codes struct {
	mu   sync.Mutex
	open *bounded.Cache[string, sentCode] // by the value of the cookie
}

// sentCode is a code for an address. It is empty once it was tried.
type sentCode struct{ code, email string }

func newCodes() *codes { return &codes{open: bounded.New[string, sentCode](maxCodes, maxCodes)} }

// codeCookie is the name of the cookie.
const codeCookie = "__Host-code"

// issue returns a new code for an address.
func (c *codes) issue(w http.ResponseWriter, email string) string {
	number, _ := rand.Int(rand.Reader, big.NewInt(1_000_000)) // never fails
	sent := sentCode{fmt.Sprintf("%06d", number), email}
	id := rand.Text()
	c.open.Set(id, sent, 1)
	http.SetCookie(w, &http.Cookie{Name: codeCookie, Value: id, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode})
	return sent.code
}

// take uses up the code of a browser. It returns the address if the code is right.
func (c *codes) take(r *http.Request, code string) (email string, ok bool) {
	cookie, err := r.Cookie(codeCookie)
	if err != nil {
		return "", false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	sent, _ := c.open.Get(cookie.Value)
	c.open.Set(cookie.Value, sentCode{}, 1)
	return sent.email, sent.code != "" && sent.code == code
}
