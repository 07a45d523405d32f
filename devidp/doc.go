// Package devidp is a BrowserID identity provider for development: users sign in with
// it at relying parties on a developer's machine, in a real browser. It takes the place
// of the public provider and its JavaScript, which no longer exist. It asks for no
// password: anyone who uses the machine can sign in as any user of its domain.
//
//	p, err := devidp.New(devidp.Config{})
//	listener, err := devidp.Listen("localhost:8400")
//	fmt.Fprintf(os.Stderr, "%s\n", p.Warning())
//	os.WriteFile("keys.json", p.KeysBundle(), 0o644) // for verifiers
//	server := &http.Server{Handler: p, MaxHeaderBytes: 64 << 10, ReadTimeout: 30 * time.Second, WriteTimeout: time.Minute}
//	err = server.Serve(listener)
//
// A [Provider] is an http.Handler for the root of an origin of its own, such as
// http://localhost:8400. It serves
//
//	/                        a page that explains how to use it
//	/.well-known/browserid   its support document (PROTOCOL §3)
//	/keys.json               the keys bundle for verifiers, see below
//	/include.js              navigator.id for relying parties
//	/sign_in                 the dialog that opens when a relying party asks
//	/certify                 issues certificates to the dialog
//
// Browsers get a page if a request is refused, and programs JSON or text. Programs that
// need no browser call [Provider.Certify].
//
// # A relying party
//
// Its pages load the script from the provider and ask when a button is pressed:
//
//	<script src="http://localhost:8400/include.js"></script>
//	…
//	navigator.id.watch({loggedInUser: null, onlogin: post, onlogout: leave})
//	button.onclick = () => navigator.id.request({oncancel: stay})
//
// The script has watch, request, logout, get and getVerifiedEmail with the arguments
// and the errors of the historic include.js. It differs in one point, for safety: it
// calls onlogin only after the user has chosen an address in the dialog. Therefore
//
//   - it does not call onlogin for a page whose session has ended (loggedInUser is
//     null), and
//   - it does not call onlogin for a page whose loggedInUser is not the last address
//     that was chosen: the script accepts the page's value.
//
// Of the options of request and get, siteName and oncancel have an effect. oncancel, and
// the callback of get after null, get the reason in addition:
//
//	cancelled  the person closed the dialog
//	blocked    the browser opened no window: pop-ups are blocked, or there was no click
//	lost       the window was closed, or cut off, before the dialog answered
//	replaced   get was called again while the dialog was open
//
// Tell the user about "blocked": no window appeared, and the user has not cancelled. request
// and get bring a dialog that is open to the front. navigator.id.cancel closes it; the
// historic script has no such function.
//
// The dialog is a window that opens in the click. A page with the header
// Cross-Origin-Opener-Policy: same-origin cuts its connection to the dialog, which is
// then "lost"; same-origin-allow-popups, or no such header, keeps it. A
// Content-Security-Policy needs the provider's origin in script-src and nothing else.
//
// # A verifier
//
// Verifiers fetch support documents over https and from public addresses only.
// Therefore a verifier accepts this provider's certificates only if it was given the
// keys: wellknown.ParseStatic reads [Provider.KeysBundle], and so does the option
// --keys of the command vepverify. Each Provider has a new key.
//
// # Security
//
//   - Keys are made in the browser, one pair for each address. The private half cannot
//     be extracted.
//   - The audience of an assertion is the origin of the page that opened the dialog, as
//     the browser reports it. The dialog shows it, and sends the answer to that origin
//     only.
//   - No page can frame the dialog. It ignores input in the half second after it
//     appears.
//   - Only the dialog can request certificates over HTTP, for addresses at
//     [Config.Domain] and for at most [MaxDuration].
//   - Requests from other machines are refused, and so are requests with a Host that
//     is not this machine's own (DNS rebinding).
//
// # What is not checked
//
// The provider does not check that the user owns the address. Other programs on the
// machine, unlike pages in its browser, can request any certificate. A relying party
// may have any origin, on this machine or elsewhere. Code that another program left in
// the browser while it had the same port, such as a service worker, acts for the
// provider's origin: use a port that nothing else uses.
//
// Tests in Go need neither this package nor a browser: package idptest makes
// assertions, right and wrong.
package devidp
