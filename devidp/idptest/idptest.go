// Package idptest is httptest for BrowserID: what tests need of the other side.
package idptest
