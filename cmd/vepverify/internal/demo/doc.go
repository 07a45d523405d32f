// Package demo is the site of the command vepverify demo: a relying party that shows
// its users what happens when they sign in. Start with [New]. The identity provider
// is a devidp.Provider; the site trusts that provider's keys only. It fetches nothing
// and writes nothing to disk.
//
// A [Site] is an http.Handler for the root of an origin of its own, such as
// http://localhost:8401. It serves
//
//	/             the front page: the button or, after the sign-in, a walkthrough
//	/members      a page for users who are signed in
//	/api/whoami   a resource for programs that sign their requests (vepauth)
//	/client.json  an identity for such a program
//
// and the routes of packages login and vepauth. The walkthrough shows what Explain of
// package assertion reports about the assertion that was posted, and about attempts
// to misuse it.
//
// The site refuses requests under a name that is not this machine's own (DNS
// rebinding). Other programs on this machine can use it as they want.
//
// The demo of the Email Verification Protocol is in package evpdemo.
//
// It is not an example to copy from: it reads the forms that are posted to package
// login, keeps the assertions, and sends an identity to every client. examples/login
// does none of that.
package demo
