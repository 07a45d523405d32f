package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/vepverify/vepverify/devidp/idptest"
	"github.com/vepverify/vepverify/wellknown"
)

func TestExample(t *testing.T) {
	idp := idptest.New("idp.localhost")
	keys, err := wellknown.NewStatic(map[string]json.RawMessage{idp.Domain: idp.Document().JSON()})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(site("http://idp.localhost:8081/include.js", keys))
	defer server.Close()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := server.Client()
	client.Jar = jar
	page := func(res *http.Response, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(body)
	}

	if body := page(client.Get(server.URL)); !strings.Contains(body, "browserid-login") || strings.Contains(body, "members") {
		t.Errorf("a visitor sees %s", body)
	}
	if body := page(client.Get(server.URL + "/members")); !strings.Contains(body, "not signed in") {
		t.Errorf("a visitor sees the members' page: %s", body)
	}
	proof := idp.Backed("ada@idp.localhost", idptest.Key("DS128"), "http://localhost:8080")
	body := page(client.PostForm(server.URL+"/api/login", url.Values{"assertion": {proof}}))
	if body != `{"status":"okay","email":"ada@idp.localhost"}` {
		t.Fatalf("login: %s", body)
	}
	for _, path := range []string{"/", "/members"} {
		if body := page(client.Get(server.URL + path)); !strings.Contains(body, "You are ada@idp.localhost") || !strings.Contains(body, "browserid-logout") {
			t.Errorf("at %s ada sees %s", path, body)
		}
	}
}
