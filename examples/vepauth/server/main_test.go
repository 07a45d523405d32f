package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

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
	s := httptest.NewUnstartedServer(nil)
	s.Config = server("", site("http://"+s.Listener.Addr().String(), keys))
	for name, limit := range map[string]time.Duration{
		"ReadHeaderTimeout": s.Config.ReadHeaderTimeout, "ReadTimeout": s.Config.ReadTimeout,
		"WriteTimeout": s.Config.WriteTimeout, "IdleTimeout": s.Config.IdleTimeout,
	} {
		if limit <= 0 {
			t.Errorf("no %s", name)
		}
	}
	if s.Config.MaxHeaderBytes <= 0 {
		t.Error("no MaxHeaderBytes")
	}
	s.Start()
	defer s.Close()
	signer := &http.Client{Transport: &vepauth.Transport{Assertion: func(_ context.Context, audience string) (string, error) {
		return idp.Backed("ada@idp.example", idptest.Key("DS128"), audience), nil
	}}}
	for _, test := range []struct {
		client *http.Client
		path   string
		status int
		body   string
	}{
		{http.DefaultClient, "/", 200, "hello, stranger\n"},
		{http.DefaultClient, "/private", 401, `{"status":"failure","reason":"authentication required"}` + "\n"},
		{signer, "/private", 200, "hello, ada@idp.example\n"},
		{signer, "/", 200, "hello, ada@idp.example\n"},
	} {
		res, err := test.client.Get(s.URL + test.path)
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
