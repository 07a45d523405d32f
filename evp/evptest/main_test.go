package evptest_test

import (
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vepverify/vepverify/evp/evptest"
)

const (
	origin = "https://rp.example"
	email  = "alice@mail.example"
	nonce  = "n-0S6_WzA2MjAxOTUtbm9uY2U"
)

// now is the time at which every token of these tests is verified.
var now = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// request is the request of a token that is valid now.
var request = evptest.Request{Email: email, Origin: origin, Nonce: nonce}
