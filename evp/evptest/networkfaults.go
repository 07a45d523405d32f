package evptest

import (
	"net/http"
	"strings"

	"github.com/vepverify/vepverify/assertion"
)

// The faults of DNS and of an issuer's hosts, for [World.Set]. Each says which rule of
// docs/EVP.md is about it, and what the error of evp.Verify matches (errors.Is) for a token
// without faults.
var (

	// DNS.

	// NoRecord is a domain without the TXT record: the name does not exist. Rule
	// 8.no-issuer: assertion.ErrIssuer.
	NoRecord = networkBreaks("no-record", "8.no-issuer", assertion.ErrIssuer, record(NXDomain()))
	// EmptyRecord is an answer of DNS without records. Rule 8.no-issuer:
	// assertion.ErrIssuer.
	EmptyRecord = networkBreaks("empty-record", "8.no-issuer", assertion.ErrIssuer,
		record(Records()))
	// NameServersFail is a failure of the name servers (SERVFAIL). Rule 8.unavailable:
	// assertion.ErrUndecided.
	NameServersFail = networkBreaks("name-servers-fail", "8.unavailable", assertion.ErrUndecided,
		record(ServFail()))
	// NameServersSilent is a lookup that times out. Rule 8.unavailable:
	// assertion.ErrUndecided.
	NameServersSilent = networkBreaks("name-servers-silent", "8.unavailable", assertion.ErrUndecided,
		record(LookupTimeout()))
	// TwoRecords is a domain with the TXT records of two issuers. Rule 8.record:
	// assertion.ErrIssuer.
	TwoRecords = networkBreaks("two-records", "8.record", assertion.ErrIssuer,
		records(func(r string) []string { return []string{r, "iss=other.example"} }))
	// SameRecordTwice is a domain with the right TXT record twice. Rule 8.record:
	// assertion.ErrIssuer.
	SameRecordTwice = networkBreaks("same-record-twice", "8.record", assertion.ErrIssuer,
		records(func(r string) []string { return []string{r, r} }))
	// RecordAndOther is a domain with an unrelated TXT record at the same name. Rule
	// 8.record: assertion.ErrIssuer.
	RecordAndOther = networkBreaks("record-and-other", "8.record", assertion.ErrIssuer,
		records(func(r string) []string { return []string{r, "v=spf1 -all"} }))
	// RecordOther is a domain whose TXT record is not an issuer's. Rule 8.record:
	// assertion.ErrIssuer.
	RecordOther = networkBreaks("record-other", "8.record", assertion.ErrIssuer,
		record(Records("v=spf1 -all")))
	// RecordCapitals is a TXT record with a host in capitals, which browsers accept. Rule
	// 8.record: assertion.ErrIssuer.
	RecordCapitals = networkBreaks("record-capitals", "8.record", assertion.ErrIssuer,
		records(func(r string) []string { return []string{"iss=" + strings.ToUpper(r[4:])} }))
	// RecordURL is a TXT record with a URL in place of a host. Rule 8.record:
	// assertion.ErrIssuer.
	RecordURL = networkBreaks("record-url", "8.record", assertion.ErrIssuer,
		records(func(r string) []string { return []string{"iss=https://" + r[4:]} }))
	// RecordPort is a TXT record with a port, which browsers accept. Rule 8.record:
	// assertion.ErrIssuer.
	RecordPort = networkBreaks("record-port", "8.record", assertion.ErrIssuer,
		records(func(r string) []string { return []string{r + ":443"} }))
	// RecordPath is a TXT record with a path, which browsers accept. Rule 8.record:
	// assertion.ErrIssuer.
	RecordPath = networkBreaks("record-path", "8.record", assertion.ErrIssuer,
		records(func(r string) []string { return []string{r + "/"} }))
	// RecordUserInfo is a TXT record with user info, which browsers accept. Rule
	// 8.record: assertion.ErrIssuer.
	RecordUserInfo = networkBreaks("record-user-info", "8.record", assertion.ErrIssuer,
		records(func(r string) []string { return []string{"iss=user@" + r[4:]} }))
	// RecordDot is a TXT record with a dot after the host. Rule 8.record:
	// assertion.ErrIssuer.
	RecordDot = networkBreaks("record-dot", "8.record", assertion.ErrIssuer,
		records(func(r string) []string { return []string{r + "."} }))
	// RecordIPAddress is a TXT record with an IP address: an attempt to make the relying
	// party request an address of its own network. Rule 8.record: assertion.ErrIssuer.
	RecordIPAddress = networkBreaks("record-ip-address", "8.record", assertion.ErrIssuer,
		record(Records("iss=10.0.0.1")))
	// RecordOfOther is a TXT record that names another issuer than the token. Rule 8.iss:
	// assertion.ErrIssuer.
	RecordOfOther = networkBreaks("record-of-other", "8.iss", assertion.ErrIssuer,
		record(Records("iss=other.example")))
	// RecordChanges is a TXT record whose first answer is right, and which then names
	// another issuer. The first token is accepted, and later ones until the answer
	// expires in the cache. Rule 8.iss: accepted.
	RecordChanges = networkAccepted("record-changes", "8.iss", recordChanges)

	// Metadata.

	// MetadataAbsent is an issuer without metadata: 404. Rule 9.refused:
	// assertion.ErrIssuer.
	MetadataAbsent = networkBreaks("metadata-absent", "9.refused", assertion.ErrIssuer,
		metadata(Status(http.StatusNotFound)))
	// MetadataForbidden is the status 403. Rule 9.refused: assertion.ErrIssuer.
	MetadataForbidden = networkBreaks("metadata-forbidden", "9.refused", assertion.ErrIssuer,
		metadata(Status(http.StatusForbidden)))
	// MetadataCreated is the right metadata with status 201. Rule 9.refused:
	// assertion.ErrIssuer.
	MetadataCreated = networkBreaks("metadata-created", "9.refused", assertion.ErrIssuer,
		editResponse(metadataURL, func(r Response) Response { return r.WithStatus(201) }))
	// MetadataRedirect is a redirect to the right metadata at another URL. Rule
	// 9.refused: assertion.ErrIssuer.
	MetadataRedirect = networkBreaks("metadata-redirect", "9.refused", assertion.ErrIssuer,
		metadataRedirect)
	// MetadataHTML is a page in place of the metadata. Rule 9.refused:
	// assertion.ErrIssuer.
	MetadataHTML = networkBreaks("metadata-html", "9.refused", assertion.ErrIssuer,
		metadata(Body("text/html", "<!doctype html>")))
	// MetadataUntyped is the right metadata without a Content-Type. Rule 9.refused:
	// assertion.ErrIssuer.
	MetadataUntyped = networkBreaks("metadata-untyped", "9.refused", assertion.ErrIssuer,
		editResponse(metadataURL, func(r Response) Response { r.Header = nil; return r }))
	// MetadataMalformed is metadata that ends too early. Rule 9.refused:
	// assertion.ErrIssuer.
	MetadataMalformed = networkBreaks("metadata-malformed", "9.refused", assertion.ErrIssuer,
		metadata(JSON(Raw(`{"issuer":`))))
	// MetadataDuplicate is metadata with a member twice. Rule 9.refused:
	// assertion.ErrIssuer.
	MetadataDuplicate = networkBreaks("metadata-duplicate", "9.refused", assertion.ErrIssuer,
		metadata(JSON(Raw(`{"jwks_uri":"a","jwks_uri":"b"}`))))
	// MetadataOversized is metadata of more than 64 KiB. Rule 9.refused:
	// assertion.ErrIssuer.
	MetadataOversized = networkBreaks("metadata-oversized", "9.refused", assertion.ErrIssuer,
		editResponse(metadataURL, func(r Response) Response { return r.Padded(64<<10 + 1) }))
	// MetadataError500 is the status 500. Rule 9.unavailable: assertion.ErrUndecided.
	MetadataError500 = networkBreaks("metadata-error500", "9.unavailable", assertion.ErrUndecided,
		metadata(Status(http.StatusInternalServerError)))
	// MetadataError503 is the status 503: an outage. Rule 9.unavailable:
	// assertion.ErrUndecided.
	MetadataError503 = networkBreaks("metadata-error503", "9.unavailable", assertion.ErrUndecided,
		metadata(Status(http.StatusServiceUnavailable)))
	// MetadataBusy is the status 429. Rule 9.unavailable: assertion.ErrUndecided.
	MetadataBusy = networkBreaks("metadata-busy", "9.unavailable", assertion.ErrUndecided,
		metadata(Status(http.StatusTooManyRequests)))
	// MetadataTooEarly is the status 425. Rule 9.unavailable: assertion.ErrUndecided.
	MetadataTooEarly = networkBreaks("metadata-too-early", "9.unavailable", assertion.ErrUndecided,
		metadata(Status(http.StatusTooEarly)))
	// MetadataRequestTimeout is the status 408. Rule 9.unavailable:
	// assertion.ErrUndecided.
	MetadataRequestTimeout = networkBreaks("metadata-request-timeout", "9.unavailable", assertion.ErrUndecided,
		metadata(Status(http.StatusRequestTimeout)))
	// MetadataTimeout is a host that does not answer. Rule 9.unavailable:
	// assertion.ErrUndecided.
	MetadataTimeout = networkBreaks("metadata-timeout", "9.unavailable", assertion.ErrUndecided,
		metadata(Timeout()))
	// MetadataReset is a host that resets the connection. Rule 9.unavailable:
	// assertion.ErrUndecided.
	MetadataReset = networkBreaks("metadata-reset", "9.unavailable", assertion.ErrUndecided,
		metadata(Reset()))
	// MetadataPrivateAddress is an issuer whose host has the address 10.0.0.1, which the
	// guard of the dialer refuses. The answer of DNS is simulated. Rule 9.guard:
	// assertion.ErrIssuer.
	MetadataPrivateAddress = networkBreaks("metadata-private-address", "9.guard", assertion.ErrIssuer,
		func(w *World, i *Issuer) { metadata(PrivateAddress())(w, i) })
	// MetadataIssuerOther is metadata that names another issuer. Rule 9.issuer:
	// assertion.ErrIssuer.
	MetadataIssuerOther = networkBreaks("metadata-issuer-other", "9.issuer", assertion.ErrIssuer,
		editMetadata(func(o Object) Object { return o.With("issuer", "https://other.example") }))
	// MetadataIssuerNull is metadata whose issuer is null. Rule 9.issuer:
	// assertion.ErrIssuer.
	MetadataIssuerNull = networkBreaks("metadata-issuer-null", "9.issuer", assertion.ErrIssuer,
		editMetadata(func(o Object) Object { return o.With("issuer", nil) }))
	// MetadataUnnamed is metadata without issuer, as Gmail's in July 2026. Rule 9.issuer:
	// accepted by the default profile; assertion.ErrIssuer under Draft02.
	MetadataUnnamed = networkAdmitted("metadata-unnamed", "9.issuer", assertion.ErrIssuer,
		editMetadata(func(o Object) Object { return o.Without("issuer") }))
	// KeysURIAbsent is metadata without jwks_uri. Rule 9.jwks-uri: assertion.ErrIssuer.
	KeysURIAbsent = networkBreaks("keys-uri-absent", "9.jwks-uri", assertion.ErrIssuer,
		editMetadata(func(o Object) Object { return o.Without("jwks_uri") }))
	// KeysURIHTTP is a jwks_uri with http. Rule 9.jwks-uri: assertion.ErrIssuer.
	KeysURIHTTP = networkBreaks("keys-urihttp", "9.jwks-uri", assertion.ErrIssuer,
		editMetadata(func(o Object) Object { return o.With("jwks_uri", "http://keys.example/jwks") }))
	// KeysURIRelative is a relative jwks_uri. Rule 9.jwks-uri: assertion.ErrIssuer.
	KeysURIRelative = networkBreaks("keys-uri-relative", "9.jwks-uri", assertion.ErrIssuer,
		editMetadata(func(o Object) Object { return o.With("jwks_uri", "/jwks") }))
	// KeysURIPort is a jwks_uri with the port 8443. Rule 9.jwks-uri: assertion.ErrIssuer.
	KeysURIPort = networkBreaks("keys-uri-port", "9.jwks-uri", assertion.ErrIssuer,
		editMetadata(func(o Object) Object { return o.With("jwks_uri", "https://keys.example:8443/jwks") }))
	// KeysURIUserInfo is a jwks_uri with user info. Rule 9.jwks-uri: assertion.ErrIssuer.
	KeysURIUserInfo = networkBreaks("keys-uri-user-info", "9.jwks-uri", assertion.ErrIssuer,
		editMetadata(func(o Object) Object { return o.With("jwks_uri", "https://u:p@keys.example/jwks") }))
	// KeysURIIPAddress is a jwks_uri with an IP address, such as that of a cloud's
	// metadata service. Rule 9.jwks-uri: assertion.ErrIssuer.
	KeysURIIPAddress = networkBreaks("keys-uriip-address", "9.jwks-uri", assertion.ErrIssuer,
		editMetadata(func(o Object) Object { return o.With("jwks_uri", "https://169.254.169.254/latest/meta-data") }))

	// Key set.

	// KeysAbsent is a key set with status 404. Rule 9.refused: assertion.ErrIssuer.
	KeysAbsent = networkBreaks("keys-absent", "9.refused", assertion.ErrIssuer,
		keySet(Status(http.StatusNotFound)))
	// KeysHTML is a page in place of the key set. Rule 9.refused: assertion.ErrIssuer.
	KeysHTML = networkBreaks("keys-html", "9.refused", assertion.ErrIssuer,
		keySet(Body("text/html", "<!doctype html>")))
	// KeysOversized is a key set of more than 64 KiB. Rule 9.refused:
	// assertion.ErrIssuer.
	KeysOversized = networkBreaks("keys-oversized", "9.refused", assertion.ErrIssuer,
		editResponse(keysURL, func(r Response) Response { return r.Padded(64<<10 + 1) }))
	// KeysRedirect is a redirect in place of the key set. Rule 9.refused:
	// assertion.ErrIssuer.
	KeysRedirect = networkBreaks("keys-redirect", "9.refused", assertion.ErrIssuer,
		keySet(Redirect("https://keys.example/jwks")))
	// KeysError503 is the status 503 for the key set. Rule 9.unavailable:
	// assertion.ErrUndecided.
	KeysError503 = networkBreaks("keys-error503", "9.unavailable", assertion.ErrUndecided,
		keySet(Status(http.StatusServiceUnavailable)))
	// KeysTimeout is a key set whose host does not answer. Rule 9.unavailable:
	// assertion.ErrUndecided.
	KeysTimeout = networkBreaks("keys-timeout", "9.unavailable", assertion.ErrUndecided,
		keySet(Timeout()))
	// KeysPrivateAddress is a jwks_uri whose host has the address 10.0.0.1. Rule 9.guard:
	// assertion.ErrIssuer.
	KeysPrivateAddress = networkBreaks("keys-private-address", "9.guard", assertion.ErrIssuer,
		func(w *World, i *Issuer) { keySet(PrivateAddress())(w, i) })
	// KeysNotArray is a key set whose keys is an object. Rule 9.key-set:
	// assertion.ErrIssuer.
	KeysNotArray = networkBreaks("keys-not-array", "9.key-set", assertion.ErrIssuer,
		editKeys(func(all []any) any { return Object{} }))
	// KeysNone is a key set without keys. Rule 10.kid: assertion.ErrSignature.
	KeysNone = networkBreaks("keys-none", "10.kid", assertion.ErrSignature,
		editKeys(func(all []any) any { return all[:0] }))
	// KeysTooMany is a key set of 65 entries, the right key first. Rule 9.key-set:
	// assertion.ErrIssuer.
	KeysTooMany = networkBreaks("keys-too-many", "9.key-set", assertion.ErrIssuer,
		editKeys(func(all []any) any { return append(all, strangers(65-len(all))...) }))
	// KeysJunkFirst is a key set with entries that are not keys, before the right ones.
	// They are skipped. Rule 9.key-set: accepted.
	KeysJunkFirst = networkAccepted("keys-junk-first", "9.key-set",
		editKeys(func(all []any) any { return append([]any{1, nil, "key", Object{"kty": "oct", "k": "AA"}}, all...) }))
	// KeysReplaced is a key set with the key of another issuer under the same kid. Rule
	// 10.signature: assertion.ErrSignature.
	KeysReplaced = networkBreaks("keys-replaced", "10.signature", assertion.ErrSignature,
		keysReplaced)
	// KeysWithoutIDs is a key set whose entries have no kid, although the token has one.
	// Rule 10.kid: assertion.ErrSignature.
	KeysWithoutIDs = networkBreaks("keys-without-i-ds", "10.kid", assertion.ErrSignature,
		eachKey(func(o Object) Object { return o.Without("kid") }))
	// KeysForEncryption is a key set whose keys are for encryption. Rule 10.kid:
	// assertion.ErrSignature.
	KeysForEncryption = networkBreaks("keys-for-encryption", "10.kid", assertion.ErrSignature,
		eachKey(func(o Object) Object { return o.With("use", "enc") }))
	// KeysSeventeenth is a key set with 16 other keys of the same kid before the right
	// one. Rule 10.tries: assertion.ErrSignature.
	KeysSeventeenth = networkBreaks("keys-seventeenth", "10.tries", assertion.ErrSignature,
		keysAfter(16))
	// KeysSixteenth is a key set with 15 other keys of the same kid before the right one.
	// Rule 10.tries: accepted.
	KeysSixteenth = networkAccepted("keys-sixteenth", "10.tries", keysAfter(15))
)

// NetworkFaults returns all faults of the network.
func NetworkFaults() []NetworkFault {
	return []NetworkFault{
		NoRecord, EmptyRecord, NameServersFail, NameServersSilent, TwoRecords,
		SameRecordTwice, RecordAndOther, RecordOther, RecordCapitals, RecordURL,
		RecordPort, RecordPath, RecordUserInfo, RecordDot, RecordIPAddress,
		RecordOfOther, RecordChanges, MetadataAbsent, MetadataForbidden,
		MetadataCreated, MetadataRedirect, MetadataHTML, MetadataUntyped,
		MetadataMalformed, MetadataDuplicate, MetadataOversized, MetadataError500,
		MetadataError503, MetadataBusy, MetadataTooEarly, MetadataRequestTimeout,
		MetadataTimeout, MetadataReset, MetadataPrivateAddress, MetadataIssuerOther,
		MetadataIssuerNull, MetadataUnnamed, KeysURIAbsent, KeysURIHTTP,
		KeysURIRelative, KeysURIPort, KeysURIUserInfo, KeysURIIPAddress, KeysAbsent,
		KeysHTML, KeysOversized, KeysRedirect, KeysError503, KeysTimeout,
		KeysPrivateAddress, KeysNotArray, KeysNone, KeysTooMany, KeysJunkFirst,
		KeysReplaced, KeysWithoutIDs, KeysForEncryption, KeysSeventeenth,
		KeysSixteenth,
	}
}
