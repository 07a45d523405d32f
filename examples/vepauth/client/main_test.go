package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/devidp/idptest"
	"github.com/vepverify/vepverify/vepauth"
	"github.com/vepverify/vepverify/wellknown"
)

func TestExample(t *testing.T) {
	idp, key := idptest.New("idp.example"), idptest.Key("DS128")
	identity, err := json.Marshal(map[string]any{
		"email": "ada@idp.example", "certificate": idp.Certificate("ada@idp.example", key.Public()).String(), "privateKey": key,
	})
	if err != nil {
		t.Fatal(err)
	}
	known, err := wellknown.NewStatic(map[string]json.RawMessage{idp.Domain: idp.Document().JSON()})
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := assertion.NewVerifier(assertion.Config{Keys: known})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(nil)
	auth, err := vepauth.New(vepauth.Config{Audiences: []string{"http://" + server.Listener.Addr().String()}, Verifier: verifier})
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = auth.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		signer, _ := vepauth.FromContext(r.Context())
		fmt.Fprint(w, signer.Email)
	}))
	server.Start()
	defer server.Close()

	client, err := signIn(identity)
	if err != nil {
		t.Fatal(err)
	}
	res, err := client.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if body, err := io.ReadAll(res.Body); err != nil || string(body) != "ada@idp.example" {
		t.Errorf("%d %q, %v", res.StatusCode, body, err)
	}
	for _, bad := range []string{"", "{}", `{"privateKey":{}}`} {
		if _, err := signIn([]byte(bad)); err == nil {
			t.Errorf("%q is taken for an identity", bad)
		}
	}
}
