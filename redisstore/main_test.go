package redisstore_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vepverify/vepverify/internal/redistest"
	"github.com/vepverify/vepverify/redisstore"
)

// TestMain checks for goroutines that the tests left behind. If a server cannot be
// reached, go-redis dials once a second, and notices only then that its client was
// closed.
func TestMain(m *testing.M) {
	redisstore.SetLogger(nil)
	code := redistest.Run(m)
	deadline := time.Now().Add(10 * time.Second)
	err := goleak.Find()
	for err != nil && time.Now().Before(deadline) {
		err = goleak.Find()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}
