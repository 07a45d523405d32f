// Package redact keeps secrets out of what is printed and logged.
//
// [Text] is shown in place of a value. A type with secrets embeds it under an
// unexported name:
//
//	type redacted = redact.Text
//
//	type privateKey struct {
//		redacted // "RS256 private key"
//		d        *big.Int
//	}
//
// A type whose users write composite literals forwards to it instead:
//
//	func (c Credentials) String() string                { return "credentials" }
//	func (c Credentials) Format(f fmt.State, verb rune) { redact.Text(c.String()).Format(f, verb) }
//	func (c Credentials) LogValue() slog.Value          { return redact.Text(c.String()).LogValue() }
//
// Format is needed beside String because the verbs %+v, %#v and %d would print
// the fields, and LogValue because a JSON handler would marshal them. MarshalJSON
// is not redacted: it is how a value is stored.
//
// # What is not redacted
//
// Package fmt prints a value in an unexported field of another struct by reflection,
// and does not call its methods. Such a field must hold a pointer to the secret.
package redact

import (
	"fmt"
	"io"
	"log/slog"
)

// Text is what every verb and logger shows. It must not contain the secret.
type Text string

// String implements [fmt.Stringer].
func (t Text) String() string { return string(t) }

// GoString implements [fmt.GoStringer].
func (t Text) GoString() string { return string(t) }

// Format implements [fmt.Formatter]. It ignores the verb and its flags.
func (t Text) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, string(t)) }

// LogValue implements [slog.LogValuer].
func (t Text) LogValue() slog.Value { return slog.StringValue(string(t)) }
