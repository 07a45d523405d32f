package workload_test

import (
	"strings"
	"testing"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/bench/internal/workload"
	"github.com/vepverify/vepverify/wellknown"
)

// TestReturningUsers checks that every assertion verifies, that no two are equal, and
// that certificates are used as often as requested.
func TestReturningUsers(t *testing.T) {
	r, err := workload.NewReturningUsers("idp.example", 5, workload.Now)
	if err != nil {
		t.Fatal(err)
	}
	document, err := r.Document()
	if err != nil {
		t.Fatal(err)
	}
	keys, err := wellknown.ParseStatic([]byte(`{"idp.example":` + string(document) + `}`))
	if err != nil {
		t.Fatal(err)
	}
	v, err := assertion.NewVerifier(assertion.Config{Keys: keys, Now: func() time.Time { return workload.Now }})
	if err != nil {
		t.Fatal(err)
	}
	seen, uses := make(map[string]bool), make(map[string]int)
	for range 2 {
		texts, err := r.Assertions(35, 3)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range texts {
			if _, err := v.Verify(t.Context(), text, workload.Audience); err != nil {
				t.Fatal(err)
			}
			certificate, _, _ := strings.Cut(text, "~")
			uses[certificate]++
			seen[text] = true
		}
	}
	if len(seen) != 70 || len(uses) != 24 {
		t.Errorf("%d assertions by %d certificates, want 70 by 24", len(seen), len(uses))
	}
}
