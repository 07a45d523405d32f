package keys

import (
	"fmt"
	"io"
	"log/slog"
)

// redacted is embedded in private keys: whichever verb or logger prints one,
// only this text, the name of its algorithm, is seen.
type redacted string

// String implements [fmt.Stringer].
func (r redacted) String() string { return string(r) + " private key" }

// GoString implements [fmt.GoStringer].
func (r redacted) GoString() string { return r.String() }

// Format implements [fmt.Formatter] for every verb.
func (r redacted) Format(f fmt.State, _ rune) { io.WriteString(f, r.String()) }

// LogValue implements [slog.LogValuer]: a JSON handler would call MarshalJSON.
func (r redacted) LogValue() slog.Value { return slog.StringValue(r.String()) }
