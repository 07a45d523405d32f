// Package login signs people in to a web application by a BrowserID assertion:
// two routes, a script for two buttons, a session, and the user in the handlers.
//
//	auth, err := login.New(login.Config[*User]{
//		Audiences: []string{"https://rp.example"},
//		Load:      users.ForAssertion, // finds or makes a user, or login.ErrNoUser
//		ID:        (*User).ID,
//		ByID:      users.ByID,         // on every request; login.ErrNoUser signs out
//	})
//	…
//	auth.Routes(mux)
//	mux.Handle("/", auth.WithUser(home))           // auth.User(r.Context()) in it
//	mux.Handle("/members", auth.Require(members))
//
// A page has the script, from ScriptURL or inline as AuthScript gives it, some
// navigator.id, and one of
//
//	<button id="browserid-login">Sign in</button>
//	<button id="browserid-logout">Sign out</button>
//
// docs/LOGIN.md is the handbook for applications: headers, proxies, prefixes,
// stores, the script in detail.
//
// # Routes
//
// POST /api/login takes a form with the field assertion, POST /api/logout one
// that may be empty. A request that prefers application/json, or anything, to
// text/html is answered in JSON, and a form that a browser sends by a page:
//
//	                       JSON                                    page
//	signed in, signed out  200 {"status":"okay","email","next"}    303 to next
//	refused                403 {"status":"failure","reason"}       403 and the reason in words
//	undecided, trouble     503, Retry-After                        the same
//
// The reason for a refusal is the verifier's (PROTOCOL §6), a Refusal's, or "no user
// with this address". Otherwise: 400 when the field is missing, 405, 413 beyond
// 64 KiB, 415 for another type than application/x-www-form-urlencoded. A request
// whose Origin is not an audience is refused with 403, and so is one without an
// Origin whose Sec-Fetch-Site is neither same-origin nor none. The Origin null needs
// Sec-Fetch-Site: same-origin. A request target that is not a path, such as
// x:/api/login or that of a CONNECT, is refused with 400.
//
// # Next
//
// Where to go afterwards is the form's field next, if it is a page of the same
// origin: one slash and a path, in ASCII, without "//", "." and "..", backslashes
// and control characters, plain or encoded. Anything else is as if it were not
// there, and then Config.AfterLogin or AfterLogout counts. It is a path as the
// browser sees it, with Config.Prefix.
//
// # Sessions
//
// They are scs's (github.com/alexedwards/scs/v2), in memory and within bounds
// (Config.Sessions) unless the application sets others. A visitor who does not sign
// in has none. All that a session holds of this package is the user's ID. Its token
// is new after each login, and the session is gone with the logout. When another
// user signs in, what the application kept in the session of the one before is
// thrown away.
//
// # What is not checked
//
// How often somebody tries. That the address still belongs to whoever proved it,
// once the session has begun: a session lasts as long as scs lets it, or until
// Config.FindByID refuses. That an assertion was not used before, if
// Config.InsecureReplay is set. The application's own forms: wrap them in
// http.CrossOriginProtection too. Its pages' headers, see docs/LOGIN.md.
package login
