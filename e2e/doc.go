// Package e2e tests in a real browser: the development identity provider (package
// devidp), sign-in (package login) by assertions and by tokens of the Email Verification
// Protocol (packages evp and issuer), and the commands demo and idp. It is a module of its
// own, so that users of the main module do not inherit its dependency chromedp.
//
//	cd e2e && go test ./...
//
// needs Chromium (Debian's package chromium, or the program that the variable CHROMIUM
// names) and, for the tests of the commands, a Go toolchain in the path. Without Chromium
// the tests are skipped, or fail if CI=true. The browser resolves no host except this
// machine, so a page that loads something from elsewhere fails.
//
// Tests take screenshots of every page: light, dark and as on a phone. The files go into
// screenshots/, or into the folder that the variable SCREENSHOTS names. For each, they check
// the layout: nothing scrolls sideways, and controls are large enough and do not overlap.
// The pictures of the documents are made only if the variable DOCS_SCREENSHOTS names
// a folder (../docs/screenshots). One of them shows more than a page, and needs Xvfb.
//
//   - chromium_test.go, tab_test.go, screenshot_test.go: the browser, its windows and
//     their screenshots
//   - server_test.go, site_test.go, shop_test.go: servers of the tests, two relying parties,
//     and assertions without a browser
//   - evp_world_test.go, evp_issuer_test.go, evp_site_test.go, evp_tab_test.go: hosts at
//     https and TXT records that the browser finds, issuers, a relying party, and how a visitor
//     types an address
//   - the others: the tests
//
// Tests wait for a state, and never for a time, with one exception: nothing tells when the
// browser has verified a token, see evp_tab_test.go. Errors on a page's console, such as a
// violation of its Content-Security-Policy, fail the test.
package e2e
