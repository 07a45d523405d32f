package vepauth

import (
	"fmt"
	"io"
	"log/slog"
)

// The signature methods of OAuth+VEP.
const (
	HMACSHA1   = "HMAC-SHA1"   // the protocol's own
	HMACSHA256 = "HMAC-SHA256" // a common extension, which this server accepts
)

// Credentials are what a token endpoint gave: with them requests are signed.
// Whatever prints or logs them sees neither the ID nor the Secret.
type Credentials struct {
	// Scheme is that of the challenge. Empty: OAuthVEP.
	Scheme Scheme
	// ID is the answer's oauth_consumer_key, or id in MACBrowserID.
	ID string
	// Secret is the answer's oauth_consumer_secret, or key in MACBrowserID.
	Secret string
	// Method is HMACSHA1 or HMACSHA256. Empty: HMACSHA1, which every server
	// knows. MACBrowserID has no choice: it is empty there.
	Method string
}

// String implements [fmt.Stringer].
func (c Credentials) String() string { return string(c.Scheme) + " credentials" }

// GoString implements [fmt.GoStringer].
func (c Credentials) GoString() string { return c.String() }

// Format implements [fmt.Formatter] for every verb.
func (c Credentials) Format(f fmt.State, _ rune) { io.WriteString(f, c.String()) }

// LogValue implements [slog.LogValuer].
func (c Credentials) LogValue() slog.Value { return slog.StringValue(c.String()) }
