// Vepverify verifies BrowserID (Persona, Verified Email Protocol) assertions, and tokens of
// the Email Verification Protocol, from the shell, and makes the keys, certificates and
// assertions to try it with.
//
//	vepverify assertion.txt --audience https://rp.example
//
// prints one line of JSON and exits with 0 (okay), 1 (failure), 2 (usage or
// configuration, then the one line is on standard error) or 3 (undecided).
// `vepverify --help` lists the commands, `vepverify help COMMAND` explains one.
//
// This package has the app and the small commands, each in a file of its name.
// The other commands are packages in internal/, beside package cli, which parses
// the arguments and runs the commands. Package verifier there makes a verifier of
// the flags that several commands share. The protocol is in package assertion and
// the packages that it imports.
package main
