package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/vepverify/vepverify/devidp/idptest"
	"github.com/vepverify/vepverify/vepauth"
	"github.com/vepverify/vepverify/wellknown"
)

func TestExample(t *testing.T) {
	idp := idptest.New("idp.example")
	keys, err := wellknown.NewStatic(map[string]json.RawMessage{idp.Domain: idp.Document().JSON()})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(nil)
	server.Config.Handler = site("http://"+server.Listener.Addr().String(), keys)
	server.Start()
	defer server.Close()
	signer := &http.Client{Transport: &vepauth.Transport{Assertion: func(_ context.Context, audience string) (string, error) {
		return idp.Backed("ada@idp.example", idptest.Key("DS128"), audience), nil
	}}}
	for _, test := range []struct {
		client *http.Client
		path   string
		status int
		body   string
	}{
		{http.DefaultClient, "/", 200, "hello, whoever you are\n"},
		{http.DefaultClient, "/private", 401, `{"status":"failure","reason":"authentication required"}` + "\n"},
		{signer, "/private", 200, "hello, ada@idp.example\n"},
		{signer, "/", 200, "hello, ada@idp.example\n"},
	} {
		res, err := test.client.Get(server.URL + test.path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != test.status || string(body) != test.body {
			t.Errorf("%s: %d %q, %v", test.path, res.StatusCode, body, err)
		}
	}
}
