package evp_test

import (
	"os"
	"testing"

	"github.com/vepverify/vepverify/evp/internal/vector"
)

// cases returns the test vectors.
func cases(t testing.TB) []vector.Case {
	t.Helper()
	data, err := os.ReadFile("../testdata/evp/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	list, err := vector.Load(data)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestVectors(t *testing.T) {
	for _, c := range cases(t) {
		t.Run(c.Name, func(t *testing.T) {
			if err := c.Check(t.Context()); err != nil {
				t.Errorf("%s: %v", c.Comment, err)
			}
		})
	}
}
