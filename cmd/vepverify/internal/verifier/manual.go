package verifier

import "github.com/vepverify/vepverify/cmd/vepverify/internal/cli"

// Groups are the flags of this package, with what man pages explain about them.
var Groups = []cli.FlagGroup{trustManual, networkManual, tokenManual, insecureManual}

var trustManual = cli.FlagGroup{
	Title: "What is accepted",
	Text: map[string]string{
		"leeway": `An assertion or a certificate is accepted for that long after it has expired, and before it
has been issued. 0 means no leeway.`,
		"max-chain": `An assertion has one certificate in practice. With a larger number, at most 16, certificates
may certify the key that signs the next one.`,
		"fallback": `A fallback speaks for every domain that is known not to support BrowserID, and can sign in as
any of its users. By default there is none, because the public one, login.persona.org, shut
down in 2016.

A domain that cannot be reached is undecided, and is never left to the fallback.`,
		"trusted-issuer": `Certificates of a trusted issuer are accepted for the addresses of all domains, also of those
that have an authority of their own. Trust only an issuer that you operate.`,
		"now": `The times of assertions and certificates are compared with this time in place of the clock,
for old assertions and for tests. The keys are those of today, unless --keys has those of that
day. A time without a zone is refused, and a number that may be in seconds too.`,
	},
}

var networkManual = cli.FlagGroup{
	Title: "Where keys come from",
	Text: map[string]string{
		"keys": `The file is a JSON object with a member for each domain: the name of the domain, and its
support document, or null for a domain that does not support BrowserID. vepverify lookup
--save and vepverify keygen --bundle write such files. A folder has a file for each domain,
such as idp.example.json. A domain that is not in the file is undecided.

Without this flag, the documents are fetched over HTTPS from the domains of the issuers.`,
		"offline": `Without --keys, the command then ends with an error. Set it where a fetch would be a fault, so
that a missing --keys is noticed.`,
		"timeout": `A lookup that takes longer is undecided. The time includes name resolution, TLS and all
delegations.`,
		"ca-file": `The file holds certificates in PEM. It replaces the authorities of the system for issuers'
documents, and for nothing else.`,
		"proxy": `For http and https proxies, hosts are reached with CONNECT. A user and a password may stand in
the URL, and are never shown. The variables HTTPS_PROXY and NO_PROXY are not used.`,
		"insecure-allow-private": `Otherwise addresses of this machine and of private networks are refused, so that the sender of
an assertion cannot make the program send requests to hosts behind a firewall.`,
	},
}

var tokenManual = cli.FlagGroup{
	Title: "Tokens (Email Verification Protocol, experimental)",
	Text: map[string]string{
		"no-evp":     ``,
		"evp-issuer": `By default an issuer is accepted if the domain of the address names it in DNS.`,
		"evp-domain": ``,
		"profile": `The profile default accepts what browsers and issuers produce, and refuses what is ambiguous.
draft-02 is the text of the draft to the letter, for testing implementations of it.`,
		"dns-server": `The issuer of the addresses of a domain is named by a TXT record. An attacker who forges DNS
answers speaks for every domain: use a resolver that validates DNSSEC, on the same machine or
in a network that you trust. TXT records are not asked for through --proxy.`,
	},
}

var insecureManual = cli.FlagGroup{
	Title: "Flags that weaken a check",
	Text: map[string]string{
		WeakKeys: `RSA keys of 511, 512 and 1023 bits are accepted. Anyone can compute the private keys of the
first two. It is for old assertions, and for tests with software that generates such keys.`,
		"insecure-fallback-on-unavailable": `An attacker who can keep a domain from answering can then sign in as its users, with the help
of the fallback's keys. The original verifier did that.`,
		"insecure-ssl": `Anyone between the service and an issuer can then sign in as the users of that issuer. The log
has a warning.`,
		"insecure-http": `Anyone between the service and an issuer can then sign in as the users of that issuer. The log
has a warning.`,
	},
}
