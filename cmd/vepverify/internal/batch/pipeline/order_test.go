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

// slowKeys is a source of keys. Each of its lookups waits until it is released.
type slowKeys struct {
	assertion.KeySource
	waiting chan chan struct{}
}

func (h slowKeys) Authority(ctx context.Context, host, emailDomain string) (*wellknown.Authority, error) {
	released := make(chan struct{})
	h.waiting <- released
	<-released
	return h.KeySource.Authority(ctx, host, emailDomain)
}

// release releases a number of lookups, in random order among those that wait. At
// each time as many wait as jobs allow.
func (h slowKeys) release(total, jobs int) {
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

// TestOrder: answers have the order of the lines, in whatever order the lookups
// end.
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
	keys := slowKeys{static, make(chan chan struct{})}
	v, err := assertion.NewVerifier(assertion.Config{Keys: keys, Now: func() time.Time { return at }})
	if err != nil {
		t.Fatal(err)
	}
	go keys.release(total, jobs)
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
