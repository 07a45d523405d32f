// Package evpdemo is what the command vepverify demo --evp serves: a site, a mail provider
// that issues tokens of the Email Verification Protocol, and the DNS answers that lead a
// browser to it. Start with [New].
//
// All hosts are at one listener for TLS on this machine, with a certificate that nothing
// accepts but the browser that [Demo.Command] starts: it has the protocol, finds these hosts
// and no others, and a new profile. So nothing leaves the machine.
//
//	https://shop.example             the site, which verifies tokens with package evp
//	https://accounts.issuer.example  the mail provider, with package issuer
//	https://dns.example              the answers to the browser's lookups of TXT records
//
// The site's pages tell what to do, show the token, each step of its verification, and how
// attempts to misuse it are refused. They show too what a visitor without a token gets: a code,
// which a real site would mail.
//
// It is not an example to copy from: examples/evp is.
package evpdemo
