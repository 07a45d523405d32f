// Package evpdemo is what the command vepverify demo --evp serves: a site, a mail provider
// that issues tokens of the Email Verification Protocol, and the DNS answers that lead a
// browser to it. Start with [New].
//
// All hosts are at one listener for TLS on this machine. Nothing accepts their certificate,
// except the browser that [Browser.Run] or the command line of [Browser.Command] starts. It
// has the protocol and a new profile, finds these hosts, and finds no others. So nothing leaves
// the machine.
//
//	https://shop.example             the site, with packages login and evp
//	https://accounts.issuer.example  the mail provider, with package evp/issuer
//	https://dns.example              the answers to the browser's lookups of TXT records
//
// The site's pages tell what to do. After the sign-in they show the requests of the browser, the
// token, each step of its verification, and how attempts to misuse it are refused. A visitor
// without a token sees why there is none, and the code that a real site would mail.
//
// It is not an example to copy from: examples/evp is.
package evpdemo
