package pipeline_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/batch/pipeline"
	"github.com/vepverify/vepverify/devidp/idptest"
	"github.com/vepverify/vepverify/wellknown"
)

// hesitant is a source of keys each of whose answers waits to be let go.
type hesitant struct {
	assertion.KeySource
	waiting chan chan struct{}
}

func (h hesitant) Authority(ctx context.Context, host, emailDomain string) (*wellknown.Authority, error) {
	let := make(chan struct{})
	h.waiting <- let
	<-let
	return h.KeySource.Authority(ctx, host, emailDomain)
}

// letGo lets so many look-ups go, at random among those that wait, which are as
// many as can at the time.
func (h hesitant) letGo(total, jobs int) {
	random := rand.New(rand.NewPCG(1, 2))
	var waiting []chan struct{}
	for rest := total; rest > 0; rest-- {
		for len(waiting) < min(jobs, rest) {
			waiting = append(waiting, <-h.waiting)
		}
		i := random.IntN(len(waiting))
		close(waiting[i])
		waiting = append(waiting[:i], waiting[i+1:]...)
	}
}

// TestOrder: answers stand in the order of the lines, whichever look-up takes
// longest.
func TestOrder(t *testing.T) {
	const total, jobs = 60, 8
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	documents := make(map[string]json.RawMessage)
	var text strings.Builder
	var want []string
	for i := range total {
		idp := idptest.New(fmt.Sprintf("idp%d.example", i), idptest.Key("DS128")).At(at)
		documents[idp.Domain] = idp.Document().JSON()
		email := fmt.Sprintf("user%d@%s", i, idp.Domain)
		want = append(want, email)
		fmt.Fprintln(&text, idp.Backed(email, idptest.Key("DS128-2"), "https://rp.example"))
	}
	static, err := wellknown.NewStatic(documents)
	if err != nil {
		t.Fatal(err)
	}
	keys := hesitant{static, make(chan chan struct{})}
	v, err := assertion.NewVerifier(assertion.Config{Keys: keys, Now: func() time.Time { return at }})
	if err != nil {
		t.Fatal(err)
	}
	go keys.letGo(total, jobs)
	var out bytes.Buffer
	_, err = pipeline.Run(t.Context(), pipeline.Config{
		In: strings.NewReader(text.String()), Out: &out, Jobs: jobs,
		Answer: func(ctx context.Context, l pipeline.Line) []byte {
			res, err := v.Verify(ctx, string(l.Text), "https://rp.example")
			if err != nil {
				return []byte(err.Error())
			}
			return []byte(res.Email)
		},
	})
	if diff := cmp.Diff(want, lines(out.String())); diff != "" || err != nil {
		t.Error(err, diff)
	}
}
