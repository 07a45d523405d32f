package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vepverify/vepverify/devidp/idptest"
)

func TestReplaceTable(t *testing.T) {
	const before = "text\n\n<!-- tools/peers/run a -->\n\n| old |\n|---|\n| 1 |\n\n<!-- tools/peers/run b -->\n\n"
	made := newTable("x", "y")
	made.add("z", 2)
	for name, want := range map[string]string{
		"a": "text\n\n<!-- tools/peers/run a -->\n\n| x | y |\n|---|---|\n| z | 2 |\n\n<!-- tools/peers/run b -->\n\n",
		"b": before + "| x | y |\n|---|---|\n| z | 2 |\n",
	} {
		got, err := replaceTable(before, name, made)
		if err != nil || got != want {
			t.Errorf("%s: %v\n%s", name, err, difference(want, got))
		}
		again, err := replaceTable(got, name, made)
		if err != nil || again != got {
			t.Errorf("%s, again: %v\n%s", name, err, difference(got, again))
		}
	}
	if _, err := replaceTable(before, "c", made); err == nil {
		t.Error("a table without a place: no error")
	}
}

// TestCountCAVP checks that each kind of vector is counted as what it is: one valid signature
// is expected to be valid, to be invalid, and is out of scope.
func TestCountCAVP(t *testing.T) {
	key := idptest.Key("DS128")
	var public struct{ P, Q, G, Y string }
	if err := json.Unmarshal(idptest.Legacy(key.Public()).JSON(), &public); err != nil {
		t.Fatal(err)
	}
	signature, err := key.Sign([]byte("message"))
	if err != nil {
		t.Fatal(err)
	}
	group := fmt.Sprintf("P = %s\nQ = %s\nG = %s\n\n", public.P, public.Q, public.G)
	vector := fmt.Sprintf("Msg = %x\nY = %s\nR = %x\nS = %x\n", "message", public.Y, signature[:20], signature[20:])
	text := "# comment\n\n[mod = L=1024, N=160, SHA-1]\n\n" + group + vector + "Result = P\n\n" + vector + "Result = F (2 - R changed)\n\n" +
		"[mod = L=1024, N=160, SHA-256]\n\n" + group + vector + "Result = P\n"
	got, err := countCAVP(fstest.MapFS{"SigVer.rsp": {Data: []byte(text)}}, "SigVer.rsp")
	if want := (cavpCount{all: 3, scope: 2, accepted: 1, disagree: 1}); err != nil || got != want {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
}

// TestFaults checks that a valid assertion is accepted, and that each fault is found.
func TestFaults(t *testing.T) {
	idp := idptest.New("rs256.example").At(now)
	var texts []string
	for i := range perPair {
		texts = append(texts, idp.At(now.Add(-time.Duration(i)*time.Second/8)).Backed("user@rs256.example", idptest.Key("DS128"), audience))
	}
	b, err := newBatch("RS256", "DS128", idp.Document().JSON(), texts)
	if err != nil {
		t.Fatal(err)
	}
	outcomes, err := b.verify(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, o := range outcomes[perPair:][:len(b.cases[perPair:])/spoiled] {
		found = append(found, o.Error)
	}
	want := []string{
		"audience mismatch: domain mismatch", "expired", "issued later than verification date",
		"invalid signature", "invalid signature", "invalid signature", "invalid signature", "invalid signature",
		"no certificates provided",
	}
	if accepted, _ := b.score(outcomes); (accepted != ratio{perPair, perPair}) || !slices.Equal(found, want) {
		t.Errorf("accepted %s\n%s", accepted, cmp.Diff(want, found))
	}
}
