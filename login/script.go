package login

import (
	_ "embed"
	"encoding/json"
	"html/template"
	"regexp"

	"github.com/vepverify/vepverify/internal/asset"
)

var (
	//go:embed auth.js
	authSource string

	// commentLines are the lines of auth.js that are comments, except those at its beginning.
	// Pages do not load them: they are a sixth of the file.
	commentLines = regexp.MustCompile(`(?m)^ +//.*\n`)
)

// script is the auth script of one configuration.
type script struct {
	*asset.Asset
	url string
}

// newScript returns a script that calls the function in auth.js, without its comments, with
// the routes as browsers see them and the messages by reason. Another script follows it.
func newScript(extra, login, logout, path string) (*script, error) {
	argument, err := json.Marshal(map[string]any{ // escapes '<'
		"login": login, "logout": logout, "messages": messages, "messagesOfKinds": messagesOfKinds, "crossOrigin": reasonCrossOrigin,
	})
	if err != nil {
		return nil, err
	}
	text := commentLines.ReplaceAllString(authSource, "") + "(" + string(argument) + ");\n" + extra
	a := asset.New("text/javascript; charset=utf-8", []byte(text))
	return &script{a, a.URL(path)}, nil
}

// ScriptURL returns the URL of the script, for <script src="…" defer>: a path with a
// hash of the content, so that browsers may cache it for a year.
func (l *Login[U]) ScriptURL() string { return l.script.url }

// AuthScript returns the script for an inline <script> element. The element needs the
// nonce of the page's Content-Security-Policy.
func (l *Login[U]) AuthScript() template.JS { return template.JS(l.script.Text()) }
