// Package bundlename tells the two protocols apart in a bundle, the file of --keys: support
// documents of BrowserID have the name of a domain; TXT records, metadata and key sets of the
// Email Verification Protocol have the name of a TXT record or an https URL.
package bundlename

import (
	"strings"

	"github.com/vepverify/vepverify/internal/strictjson"
)

// TXTPrefix is before the email domain in the name of a TXT record.
const TXTPrefix = "_email-verification."

// ForTokens reports whether name is that of an entry for the Email Verification Protocol.
func ForTokens(name string) bool { return IsTXT(name) || strings.HasPrefix(name, "https://") }

// IsTXT reports whether name is that of a TXT record.
func IsTXT(name string) bool { return strings.HasPrefix(name, TXTPrefix) }

// EntryForTokens reports whether m is an entry for the Email Verification Protocol. A domain
// may begin with TXTPrefix too: then the value is an object, which no TXT record is.
func EntryForTokens(m strictjson.Member) bool {
	return ForTokens(m.Name) && !(IsTXT(m.Name) && m.Value[0] == '{')
}
