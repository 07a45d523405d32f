package assertion_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/devidp/idptest"
	"github.com/vepverify/vepverify/wellknown"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestOneFetch holds that 10 000 verifications at once that name one unknown
// domain ask it once.
func TestOneFetch(t *testing.T) {
	idp := idptest.New("idp.example", idpKey, idpDSA).At(now)
	server := idptest.NewServer(idp)
	defer server.Close()
	config := server.Config()
	config.Timeout = 5 * time.Minute // however busy the verifications keep the machine
	resolver, err := wellknown.NewResolver(config)
	if err != nil {
		t.Fatal(err)
	}
	v := verifier(t, assertion.Config{Keys: resolver})
	a := mint{}.String()
	start := make(chan struct{})
	var wg sync.WaitGroup
	for range 10_000 {
		wg.Go(func() {
			<-start
			if _, err := v.Verify(context.Background(), a, rp); err != nil {
				t.Error(err)
			}
		})
	}
	close(start)
	wg.Wait()
	if n := len(server.Requests("idp.example")); n != 1 {
		t.Errorf("%d fetches", n)
	}
}
