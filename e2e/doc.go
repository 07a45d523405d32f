// Package e2e tests, in a real browser, what people and scripts in browsers use:
// the development identity provider (package devidp), signing in (package login)
// and the commands demo and idp. It is a module of its own, so that its
// dependency, chromedp, is not one of everybody's.
//
//	cd e2e && go test ./...
//
// needs Chromium (Debian's package chromium, or what the variable CHROMIUM names)
// and a Go toolchain in the path, for the tests of the commands. Without Chromium
// the tests are skipped; where CI=true they fail. The browser finds no host but
// this machine, so that a page that wanted something from elsewhere would fail.
//
// Every page is photographed: in light, dark, and on a phone, into screenshots/
// or the folder that the variable SCREENSHOTS names. Each time its layout is
// checked: nothing scrolls sideways, what can be pressed is large enough and
// overlaps nothing.
//
//   - chromium_test.go, tab_test.go, look_test.go: the browser, its windows, what
//     they look like
//   - server_test.go, shop_test.go: servers of the tests, and a relying party
//     made of package login
//   - the others: what is tested
//
// Tests wait for what they want to see, and never for some time to pass. What a
// page complains about on the console, such as a violation of its
// Content-Security-Policy, fails its test.
package e2e
