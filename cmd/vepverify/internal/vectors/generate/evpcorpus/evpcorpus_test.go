package evpcorpus_test

import (
	"fmt"
	"testing"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/vectors/generate/evpcorpus"
)

func TestX(t *testing.T) {
	files, err := evpcorpus.Files()
	if err != nil {
		t.Fatal(err)
	}
	for n, d := range files {
		fmt.Println(n, len(d))
	}
	count := map[string]int{}
	seen := map[string]bool{}
	tok := map[string]string{}
	for _, c := range evpcorpus.Cases() {
		count[c.Group]++
		if seen[c.Name] {
			t.Error("twice", c.Name)
		}
		seen[c.Name] = true
		_ = tok
	}
	for _, r := range evpcorpus.Rules() {
		fmt.Println(r, count[r])
	}
	fmt.Println(len(seen))
}
