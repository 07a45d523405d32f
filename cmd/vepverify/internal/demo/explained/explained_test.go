package explained_test

import (
	"testing"
	"time"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/demo/explained"
)

func TestFormatDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "under 1 µs", 999 * time.Nanosecond: "under 1 µs", 1499 * time.Nanosecond: "1 µs", 412 * time.Microsecond: "412 µs",
		1234567 * time.Nanosecond: "1.23 ms", 98765 * time.Microsecond: "98.8 ms", 2 * time.Second: "2 s",
	} {
		if got := explained.FormatDuration(d); got != want {
			t.Errorf("%d: %s, want %s", d, got, want)
		}
	}
}
