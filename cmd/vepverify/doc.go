// Vepverify verifies BrowserID (Persona, Verified Email Protocol) assertions
// from the shell, and makes the keys, certificates and assertions to try it with.
//
//	vepverify assertion.txt --audience https://rp.example
//
// prints one line of JSON and exits with 0 (okay), 1 (failure), 2 (usage or
// configuration, then the one line is on standard error) or 3 (undecided).
// `vepverify --help` lists the commands, `vepverify help COMMAND` explains one.
//
// This package is flags, output and exit codes. What an assertion is and when
// it holds is decided in package assertion and below, and nowhere here. main.go
// runs the program; arguments.go puts the arguments in order for urfave/cli;
// every command has a file of its own, named after it, and a line in app.go.
package main
