// Package demo is the site of the command vepverify demo: a relying party that
// shows people what happens when they sign in to it. Start with New; the identity
// provider beside it is a devidp.Provider, whose keys are the only ones that the
// site believes. Nothing is fetched, and nothing is written anywhere.
//
// A [Site] is an http.Handler for the root of an origin of its own, such as
// http://localhost:8401. It serves
//
//	/             the first page: the button, and behind it a tour of the sign-in
//	/members      a page for people who are signed in
//	/api/whoami   a resource for programs that sign their requests (vepauth)
//	/robot.json   an identity for such a program to try that with
//
// and the routes of packages login and vepauth. The tour is what package
// assertion's Explain tells about the very assertion that was posted, and about
// what others could make of it.
//
// What it is not: an example to copy from. It listens to what is posted to the
// login, keeps it, and hands out identities; examples/login does none of that.
// Requests under a name that is not the machine's own are refused (DNS
// rebinding), but other programs on the machine can do as they like.
package demo
