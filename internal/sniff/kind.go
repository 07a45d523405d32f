package sniff

// Kind is what a text is.
type Kind int

// The kinds. An Assertion has the form certificate~assertion; it may still be malformed.
const (
	Unknown Kind = iota
	Assertion

	Empty
	Blank
	UTF8BOM
	UTF16
	Compressed
	Binary

	PEM
	PEMPrivateKey
	HTML
	Identity
	PrivateKey
	PublicKey
	PrivateCurveKey
	PublicCurveKey
	KeySet
	SupportDocument
	EVPMetadata
	Bundle
	EVPBundle
	Answer
	JSONAssertion
	JSONLines
	Claims
	JSON

	Form
	URL
	Header
	Variable
	Null
	Message
	Percent
	QuotedPrintable
	Base64
	DoubleBase64
	Padded
	Quoted
	Folded
	Several
	Abbreviated
	Invisible
	Surrounded

	Certificate
	IdentityAssertion
	Reversed
	CutOff
	JWT
	SDJWT
	EVPToken
	EVPHalf
	Email
	Text // of NotFileName only

	kinds // the number of kinds
)

// IsOther reports whether the text was recognized as something other than an assertion.
func (k Kind) IsOther() bool { return k != Unknown && k != Assertion }

// String returns what a text of this kind is, so that "the text is" can stand before it. It
// is empty for Unknown.
func (k Kind) String() string { return texts[k].what }

// Advice returns what to do about a text of this kind in place of an assertion. It is empty
// for Unknown and Assertion.
func (k Kind) Advice() string { return texts[k].advice }

const (
	passWhole = "pass the whole text certificate~assertion, as the browser returned it"
	noSecret  = "keep it secret, and pass an assertion"
	unwrap    = "pass the assertion alone"
	fromWhere = "nothing was written or piped: check the file, the variable or the command that it comes from"
)

// texts are constants, so that none has a part of an input.
var texts = [kinds]struct{ what, advice string }{
	Assertion: {what: "an assertion"},

	Empty:      {"empty", fromWhere},
	Blank:      {"empty except for white space", fromWhere},
	UTF8BOM:    {"in UTF-8 with a byte order mark (BOM)", "save it without BOM, in PowerShell with Out-File -Encoding ascii"},
	UTF16:      {"in UTF-16, as Windows PowerShell writes files", "save it in ASCII, in PowerShell with Out-File -Encoding ascii"},
	Compressed: {"compressed data (gzip, zip, xz or zstd)", "decompress it first"},
	Binary:     {"binary data, not text", "an assertion is text in ASCII: check that this is the right file"},

	PEM:             {"a PEM file, as for TLS", "pass an assertion; BrowserID has no PEM files"},
	PEMPrivateKey:   {"a private key in PEM", noSecret + "; BrowserID has no PEM files"},
	HTML:            {"an HTML page or XML", "see what the page says: it may be an error or a sign-in page"},
	Identity:        {"an identity file, with a private key", "keep it secret, and make an assertion with it"},
	PrivateKey:      {"a private key", noSecret + " that was signed with it"},
	PublicKey:       {"a public key", "pass an assertion"},
	PrivateCurveKey: {"a private key of an elliptic curve (JWK), as for issuers of the Email Verification Protocol", noSecret + "; BrowserID has no such keys"},
	PublicCurveKey:  {"a public key of an elliptic curve (JWK), as of issuers of the Email Verification Protocol", "pass an assertion; BrowserID has no such keys"},
	KeySet:          {"a set of public keys (JWKS), as of issuers of the Email Verification Protocol", "pass an assertion; the set is for the configuration of issuers' keys"},
	SupportDocument: {"a support document, with the keys of an issuer", "pass an assertion; the document is for the configuration of issuers' keys"},
	Bundle:          {"a bundle of support documents, with the keys of issuers", "pass an assertion; the bundle is for the configuration of issuers' keys"},
	EVPMetadata:     {"the metadata of an issuer of the Email Verification Protocol", "pass an assertion; the metadata is for the configuration of issuers' keys"},
	EVPBundle:       {"a bundle of the Email Verification Protocol, with records and keys of issuers", "pass an assertion; the bundle is for the configuration of issuers' keys"},
	Answer:          {"the answer of a verifier", "pass the assertion that it was the answer to"},
	JSONAssertion:   {"JSON around an assertion", "pass the value of its member assertion, without quotes"},
	JSONLines:       {"several JSON objects, one a line", "verify them one by one"},
	Claims:          {"the decoded claims of a token", "pass the token as it was signed: claims alone prove nothing"},
	JSON:            {"JSON", passWhole},

	Form:            {"a form body (assertion=… or token=…)", "pass the value of its field assertion or token, percent-decoded"},
	URL:             {"a URL", unwrap + "; if it is in the URL, percent-decode it"},
	Header:          {"an HTTP header or message", unwrap + ", without the name of the header and of the scheme"},
	Variable:        {"the name of a variable or a placeholder, not its value", "in a shell, write variables in double quotes, not in single ones"},
	Null:            {"the word for a value that is missing (null, undefined, None)", "the program that sends it has no assertion: look there"},
	Message:         {"a message, such as the error of a program", "look at what it says, and at the command that wrote it"},
	Percent:         {"percent-encoded (%7E for ~)", "percent-decode it once"},
	QuotedPrintable: {"in quoted-printable, as in mail (=7E for ~, or = at the ends of lines)", "decode it: mail programs do when they save a message as text"},
	Base64:          {"in base64 with +, / or = in place of base64url", "pass it as it was made: base64url has - and _, and no ="},
	DoubleBase64:    {"base64-encoded once more", "decode it once"},
	Padded:          {"an assertion with blanks or line breaks around it", "remove them"},
	Quoted:          {"an assertion in quotes or brackets", "remove them"},
	Folded:          {"an assertion with blanks or line breaks in it, as mail and terminals fold long lines", "join its lines: an assertion is one line without blanks"},
	Several:         {"several assertions", "verify them one by one"},
	Abbreviated:     {"abbreviated with dots, as on a screen or in a log", passWhole},
	Invisible:       {"an assertion with characters that are invisible or not ASCII, as copied from a page", "copy it from where it was made, or remove these characters"},
	Surrounded:      {"a token with other text around it", unwrap},

	Certificate:       {"a certificate alone, without the assertion after it", passWhole},
	IdentityAssertion: {"an identity assertion alone, without the certificate before it", passWhole},
	Reversed:          {"an assertion before its certificate, in the wrong order", "pass certificate~assertion"},
	CutOff:            {"an assertion that was cut off", passWhole + "; terminals and databases may cut off lines at 255, 1024 or 4095 characters"},
	JWT:               {"a JSON Web Token (JWT) of another protocol, such as OpenID Connect", otherProtocol},
	SDJWT:             {"an SD-JWT of another protocol", otherProtocol},
	EVPToken:          {"a token of the Email Verification Protocol", "it is not a BrowserID assertion, and is verified as a token, with the nonce of the page that asked for it"},
	EVPHalf:           {"one half of a token of the Email Verification Protocol", "pass the whole token, the issuer's half ~ the browser's half; it is verified as a token, not as an assertion"},
	Email:             {"an email address", "pass an assertion, which proves the address"},
	Text:              {"a text", "pass the name of a file"},
}

const otherProtocol = "it is not a BrowserID assertion, which is certificate~assertion: verify it with software for its protocol"
