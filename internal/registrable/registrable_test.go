package registrable_test

import (
	"testing"

	"github.com/vepverify/vepverify/internal/registrable"
)

func TestDomain(t *testing.T) {
	for in, want := range map[string]string{
		"idp.example": "idp.example", "a.b.idp.example": "idp.example", "a.idp.co.uk:8443": "idp.co.uk",
		"co.uk": "co.uk", "localhost": "localhost", "127.0.0.1:8443": "127.0.0.1", "10.0.0.1": "10.0.0.1",
		"x.user.github.io": "user.github.io", "-_.example": "-_.example",
	} {
		if got := registrable.Domain(in); got != want {
			t.Errorf("Domain(%q) = %q; want %q", in, got, want)
		}
	}
}
