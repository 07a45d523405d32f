package e2e

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestForeignCertify checks that a page of another origin cannot get a certificate. See also
// TestFramed and TestRebinding.
func TestForeignCertify(t *testing.T) {
	p, _ := provider(t)
	statuses := make(chan int, 10)
	idp := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := httptest.NewRecorder()
		p.ServeHTTP(answer, r)
		if r.URL.Path == "/certify" && r.Method == http.MethodPost {
			statuses <- answer.Code
		}
		maps.Copy(w.Header(), answer.Header())
		w.WriteHeader(answer.Code)
		_, _ = answer.Body.WriteTo(w)
	}))
	body := quoted(certifyRequest(t))
	ask := func(w *tab, request string) string {
		return eval[string](w, fmt.Sprintf(`fetch('%s/certify', {method: 'POST', body: %s, %s}).then(async r => r.type + (await r.text()), e => 'refused')`, idp, body, request))
	}
	w := newTab(t)
	w.allowErrors() // the browser reports what the page may not read
	w.open(site(t, idp, `say('here')`, "Content-Security-Policy: default-src * 'unsafe-inline'", "Cross-Origin-Embedder-Policy: unsafe-none"))
	w.see("#said", "here")
	for _, request := range []string{
		`headers: {'Content-Type': 'text/plain'}`,
		`mode: 'no-cors'`,
		`mode: 'no-cors', referrerPolicy: 'no-referrer'`,
		`mode: 'no-cors', credentials: 'include'`,
		`headers: {'Content-Type': 'application/json'}`, // for which the browser sends OPTIONS first
	} {
		if got := ask(w, request); got != "refused" {
			t.Errorf("%s: %s", request, got)
		}
	}
	w.open(idp + "/")
	if got := ask(w, `headers: {'Content-Type': 'application/json'}`); !strings.Contains(got, "certificate") {
		t.Errorf("the provider's own page: %s", got)
	}
	close(statuses)
	var all []int
	for status := range statuses {
		all = append(all, status)
	}
	if want := []int{403, 403, 403, 403, 200}; !slices.Equal(all, want) {
		t.Errorf("the provider answered %v, want %v", all, want)
	}
}

// TestAnswerGoesToAsker checks that the window that asked does not receive the answer if it
// shows another site by then.
func TestAnswerGoesToAsker(t *testing.T) {
	_, idp := provider(t)
	rp := newTab(t)
	const open = "Cross-Origin-Opener-Policy: unsafe-none"
	thief := site(t, idp, `
addEventListener('message', e => say('heard ' + JSON.stringify(e.data)));
const dialog = window.open('', 'dialog');
setInterval(() => dialog.postMessage({browserid: 'request', siteName: 'thief'}, '*'), 20);
say('thief');`, open)
	asker := site(t, idp, `
on('in', () => {
	const dialog = window.open('`+idp+`/sign_in', 'dialog', 'popup,width=440,height=640');
	addEventListener('message', e => { if (e.source === dialog) dialog.postMessage({browserid: 'request'}, '*'); });
});
on('out', () => { location = '`+thief+`'; });
say('asker');`, open)
	rp.open(asker)
	rp.see("#said", "asker")
	dialog := openDialog(rp)
	dialog.see("#audience", asker)
	rp.click("#out")
	rp.see("#said", "thief")
	dialog.allowErrors() // the browser reports that it drops the answer
	dialog.enter("#email", "ada")
	dialog.press(kb.Enter)
	dialog.see("#problem", "did not take the answer")
	dialog.see("#audience", asker)
	if said := said(rp); strings.Contains(said, "assertion") {
		t.Errorf("the other site heard %s", said)
	}
}

// TestNullOrigin checks the message for a page without an origin.
func TestNullOrigin(t *testing.T) {
	_, idp := provider(t)
	rp := newTab(t)
	rp.open(site(t, idp, watchScript, "Content-Security-Policy: sandbox allow-scripts allow-popups allow-popups-to-escape-sandbox; script-src * 'unsafe-inline'", "Cross-Origin-Embedder-Policy: unsafe-none"))
	rp.see("#said", "ready")
	dialog := rp.popup(clicking("#in"))
	dialog.see("#problem", "no origin")
}

// TestEarlyInput checks that input in the moment in which the dialog appears is ignored, and
// so is a key that is held down.
func TestEarlyInput(t *testing.T) {
	_, idp := provider(t)
	rp := newTab(t)
	rp.open(site(t, idp, watchScript))
	rp.see("#said", "ready")
	dialog := openDialog(rp)
	dialog.enter("#email", "ada")
	dialog.press(kb.Enter)
	rp.gone(dialog)

	dialog = openDialog(rp)
	// The window has the focus in the moment of the click, however slow this machine is.
	eval[any](dialog, `void addEventListener('click', () => window.dispatchEvent(new Event('focus')), {capture: true, once: true})`)
	dialog.click("button.address")
	dialog.see("#status", "Please press again")
	dialog.ready()

	dialog.press(kb.Tab) // onto the address
	for range 3 {
		call(dialog, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyDown, Key: "Enter", Code: "Enter", Text: "\r", WindowsVirtualKeyCode: 13, AutoRepeat: new(true)})
	}
	if s := eval[string](dialog, "document.getElementById('dialog').dataset.state"); s != "ready" {
		t.Errorf("a held key did something: %s", s)
	}
	dialog.viewAs(view{"tiny", 200, 150, "light", false})
	dialog.do(chromedp.KeyEvent(" "))
	dialog.see("#status", "larger")
}

// TestBlockedWindow checks that the site is told why, if the browser opens no window because
// there was no click, or closes it at once, as extensions do.
func TestBlockedWindow(t *testing.T) {
	_, idp := provider(t)
	rp := newTab(t)
	rp.open(site(t, idp, watchScript+`navigator.id.request({oncancel: reason => say(reason)});`))
	rp.see("#said", "blocked")

	rp.open(site(t, idp, `on('in', () => navigator.id.get((assertion, reason) => say(assertion + ' ' + reason))); say('here');
const real = window.open;
window.open = (...given) => { const opened = real.apply(window, given); setTimeout(() => opened.close(), 0); return opened; };`))
	rp.see("#said", "here")
	rp.click("#in")
	rp.see("#said", "null lost")
}

// TestOpenerPolicy checks that a page whose Cross-Origin-Opener-Policy cuts the connection
// to the dialog is told.
func TestOpenerPolicy(t *testing.T) {
	_, idp := provider(t)
	rp := newTab(t)
	rp.open(site(t, idp, watchScript, "Cross-Origin-Opener-Policy: same-origin"))
	rp.see("#said", "ready")
	rp.click("#in")
	rp.see("#said", "lost")
}

// TestStoredKeys checks that the stored private key cannot be extracted, and that nothing
// else is stored.
func TestStoredKeys(t *testing.T) {
	_, idp := provider(t)
	rp := newTab(t)
	rp.open(site(t, idp, watchScript))
	rp.see("#said", "ready")
	dialog := openDialog(rp)
	dialog.enter("#email", "ada")
	dialog.press(kb.Enter)
	rp.gone(dialog)
	dialog = openDialog(rp)
	got := eval[string](dialog, `import('/identities.js').then(async m => {
		const [r] = await m.at('idp.localhost');
		const read = await crypto.subtle.exportKey('jwk', r.privateKey).then(() => 'readable', e => e.name);
		return Object.keys(r).sort().join() + ' ' + r.privateKey.extractable + ' ' + r.privateKey.usages + ' ' + read + ' ' + localStorage.length + ' ' + document.cookie.length;
	})`)
	if got != "email,privateKey,publicKey,used false sign InvalidAccessError 0 0" {
		t.Error(got)
	}
}

// TestProviderStopped checks the message if the provider does not answer any more.
func TestProviderStopped(t *testing.T) {
	_, idp := provider(t)
	rp := newTab(t)
	rp.open(site(t, idp, watchScript))
	rp.see("#said", "ready")
	dialog := openDialog(rp)
	eval[any](dialog, "void (window.fetch = async () => new Response('<!DOCTYPE html>', {status: 404}))") // another program has the port
	dialog.enter("#email", "ada")
	dialog.press(kb.Enter)
	dialog.see("#problem", "does not answer")
	dialog.dismiss()
	rp.gone(dialog)

	dialog = openDialog(rp)
	stopServing(portOf(idp))
	dialog.enter("#email", "ada")
	dialog.press(kb.Enter)
	dialog.see("#problem", "does not answer")
	dialog.screenshots("gone", small...)
}
