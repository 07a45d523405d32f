package main

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/evp"
	"github.com/vepverify/vepverify/evp/evptest"
)

const origin, ada = "http://localhost:8080", "ada@mail.example"

func TestExample(t *testing.T) {
	world := evptest.New()
	tokens, err := evp.NewVerifier(evp.Config{Origins: []string{origin}, Resolver: world, InsecureTransport: world})
	if err != nil {
		t.Fatal(err)
	}
	mailed := ""
	handler := site(origin, tokens, func(email, code string) {
		if email != ada {
			t.Errorf("a code for %s", email)
		}
		mailed = code
	})

	page, err := evptest.NewBrowser(world, handler, origin).SignIn("/", ada)
	if err != nil || page.Status != 200 || !strings.Contains(page.Body, "You are "+ada) || mailed != "" {
		t.Errorf("with a token: %v, %+v", err, page)
	}
	if !strings.Contains(page.Header.Get("Content-Security-Policy"), "script-src 'self'") {
		t.Error("no Content-Security-Policy")
	}

	page, err = evptest.NewBrowser(world, handler, origin).SignInWithout("/", ada)
	if err != nil || page.Status != 200 || !strings.Contains(page.Body, "The code for "+ada) || mailed == "" {
		t.Errorf("without a token: %v, %+v", err, page)
	}
	if body := enter(handler, mailed); body != `{"status":"okay","email":"`+ada+`"}` {
		t.Errorf("with the code: %s", body)
	}
	if body := enter(handler, mailed); !strings.Contains(body, "not valid") {
		t.Errorf("with the code again: %s", body)
	}

	page, err = evptest.NewBrowser(world, handler, origin).SignIn("/", ada, evptest.KBTampered)
	if err != nil || page.Status != 200 || !strings.Contains(page.Body, "The code for "+ada) {
		t.Errorf("with a token that is refused: %v, %+v", err, page)
	}
}

// enter enters a code, and returns the answer.
func enter(handler http.Handler, code string) string {
	r := httptest.NewRequest("POST", "/code", strings.NewReader(url.Values{"code": {code}}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w.Body.String()
}
