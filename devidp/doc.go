// Package devidp is a BrowserID identity provider for developers' own machines:
// it signs people in at relying parties under development, in a real browser,
// now that the public provider and its JavaScript are gone. It asks for no
// password: whoever uses this machine can be anybody at its domain.
//
//	p, err := devidp.New(devidp.Config{})
//	listener, err := devidp.Listen("localhost:8400")
//	fmt.Fprintf(os.Stderr, "%s\n", p.Warning())
//	os.WriteFile("keys.json", p.KeysBundle(), 0o644) // whom a verifier may believe
//	server := &http.Server{Handler: p, MaxHeaderBytes: 64 << 10, ReadTimeout: 30 * time.Second, WriteTimeout: time.Minute}
//	err = server.Serve(listener)
//
// A [Provider] is an http.Handler for the root of an origin of its own, such as
// http://localhost:8400. It serves
//
//	/                        a page that tells how to use it
//	/.well-known/browserid   its support document (PROTOCOL §3)
//	/keys.json               the same as a file for verifiers, see below
//	/include.js              navigator.id for relying parties
//	/sign_in                 the dialog that opens when a relying party asks
//	/certify                 issues certificates to the dialog
//
// # A relying party
//
// It loads the script from the provider and asks when a button is pressed:
//
//	<script src="http://localhost:8400/include.js"></script>
//	…
//	navigator.id.watch({loggedInUser: null, onlogin: post, onlogout: leave})
//	button.onclick = () => navigator.id.request({oncancel: stay})
//
// The script has watch, request, logout, get and getVerifiedEmail as the
// historic one had them, and throws where that threw. It differs in one thing,
// for safety: it never calls onlogin on its own, as nobody gets an assertion
// without the person's act in the dialog. A page whose session has ended
// (loggedInUser is null) is told nothing, and one whose loggedInUser is another
// address than the last that was chosen is believed. Of the options of request
// and get, siteName and oncancel have an effect.
//
// The dialog is a window that opens in the click. Its connection to the page
// that opened it does not survive a Cross-Origin-Opener-Policy of same-origin on
// that page: same-origin-allow-popups is right, or none. A
// Content-Security-Policy needs the provider's origin in script-src and nothing
// else.
//
// # A verifier
//
// Verifiers fetch support documents over https from public addresses only, so
// none of them finds this provider, or believes it, unless told so:
// [Provider.KeysBundle] is what wellknown.ParseStatic reads, and the option
// --keys of the vepverify command. The key behind it is new with each Provider.
//
// # Who can get what
//
// Keys are made in the browser, one for each address, and cannot be taken out of
// it. The audience of an assertion is the origin of the page that opened the
// dialog, as the browser reports it; the dialog shows it, and the answer goes to
// exactly that origin. No page can frame the dialog, and what a person presses
// in the moment in which it appears does not count. Certificates are given to
// the dialog only, for addresses at [Config.Domain] only, for at most
// [MaxDuration]. Requests that do not come from this machine, or under a name
// that is not its own (DNS rebinding), are refused.
//
// # What is not checked
//
// That the person has the address. Programs on the same machine, unlike pages in
// its browser, can ask for certificates as they like. A relying party may have
// any origin, on this machine or elsewhere. What another program left in the
// browser when it had the same port, a service worker above all, acts for the
// provider's origin: give the provider a port of its own.
//
// Tests in Go need neither this nor a browser: package idptest makes assertions
// of every kind, wrong ones too.
package devidp
