// Package page contains what the pages of package devidp and of the command
// vepverify demo share: the stylesheet, the icon, and the handler that serves
// them. [Preferred] tells requests for a page from those of programs; package login uses it
// too.
//
// The element body of a page has the class "centred", for one card in the middle of
// a window that may be small, or "column", for several cards.
package page

import (
	_ "embed"
	"net/http"
)

var (
	// Style is the stylesheet.
	//
	//go:embed style.css
	Style []byte

	// Icon is the icon, in SVG.
	//
	//go:embed icon.svg
	Icon []byte
)

// Handle adds /style.css and /icon.svg to a mux.
func Handle(mux *http.ServeMux) {
	mux.Handle("GET /style.css", Static("text/css; charset=utf-8", Style))
	mux.Handle("GET /icon.svg", Static("image/svg+xml", Icon))
}

// Static returns a handler that serves body. It ignores the header Range: an answer
// in thousands of parts would be a hundred times as large as the body.
func Static(contentType string, body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		_, _ = w.Write(body) // the only error is that the client has disconnected
	}
}
