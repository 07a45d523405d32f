package vepauth

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"

	"github.com/vepverify/vepverify/assertion"
)

// ErrRefused is what the errors of a TokenManager match when the client is to
// blame: an identity that gets no token here, or a token that is none, of
// somebody else's making, or expired. It is answered by 401 and the challenge.
var ErrRefused = errors.New("refused")

// TokenManager makes the tokens by which the signers of requests are known, and
// reads them. SignedTokens is the default.
//
// An error that matches ErrRefused is the client's fault. Every other is taken
// for the server's, such as a database that is down: it is logged and answered
// by 503. Methods are called by any number of goroutines.
type TokenManager interface {
	// MakeToken makes a token for the identity that was verified, or refuses.
	MakeToken(r *http.Request, g Grant) (Token, error)

	// ParseToken gives back what MakeToken put into the token: the identity,
	// with Grant.Scope for its Scope, and the secret. Whether the Scope is that
	// of the request is checked by the caller; whether the token has expired is
	// not. No two texts may be the same token, as nonces count for each text.
	ParseToken(r *http.Request, token string) (Identity, string, error)
}

// Grant is what a token is asked for.
type Grant struct {
	// Result is who asks, verified.
	Result *assertion.Result
	// Scope is where the token is to be good.
	Scope Scope
	// Values are what stood at the placeholders of Config.TokenURL, decoded and
	// by name, application and version among them; nil without placeholders.
	Values map[string]string
}

// Token is the answer to a Grant.
type Token struct {
	// ID is public: it comes with each request.
	ID string
	// Secret is what requests are signed with; it is sent once, in the answer.
	Secret string
	// Extra are more members of the answer's JSON object. Names that the
	// credentials have are left out.
	Extra map[string]any
}

// String implements [fmt.Stringer]: whatever prints or logs a token sees neither
// its ID nor its Secret.
func (t Token) String() string { return "token" }

// GoString implements [fmt.GoStringer].
func (t Token) GoString() string { return t.String() }

// Format implements [fmt.Formatter] for every verb.
func (t Token) Format(f fmt.State, _ rune) { io.WriteString(f, t.String()) }

// LogValue implements [slog.LogValuer].
func (t Token) LogValue() slog.Value { return slog.StringValue(t.String()) }
