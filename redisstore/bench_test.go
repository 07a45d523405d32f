package redisstore_test

import (
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vepverify/vepverify/internal/redistest"
)

// The figures of docs/REPLAY.md:
//
//	go test -run '^$' -bench . -benchtime 100000x ./redisstore
//
// BenchmarkFirstUse lets new keys pass, 32 at a time, and measures how much of
// Redis's memory one takes.
func BenchmarkFirstUse(b *testing.B) {
	for _, fsync := range []string{"always", "everysec"} {
		b.Run(fsync, func(b *testing.B) {
			server := redistest.Start(b, "--appendfsync", fsync)
			s := open(b, server.URL(), patient)
			before := usedMemory(b, server)
			until := time.Now().Add(time.Hour)
			var next atomic.Int64
			b.SetParallelism(max(1, 32/runtime.GOMAXPROCS(0)))
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if first, err := s.FirstUse(b.Context(), fmt.Sprint(next.Add(1)), until); err != nil || !first {
						b.Error(first, err)
						return
					}
				}
			})
			b.StopTimer()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "uses/s")
			b.ReportMetric(float64(usedMemory(b, server)-before)/float64(b.N), "B/entry")
		})
	}
}

// usedMemory is what the server takes, but for the buffers of its connections
// and its file.
func usedMemory(b *testing.B, server *redistest.Server) int {
	b.Helper()
	info, err := client(b, server).Info(b.Context(), "memory").Result()
	if err != nil {
		b.Fatal(err)
	}
	figure := func(name string) (n int) {
		_, rest, _ := strings.Cut(info, "\n"+name+":")
		if _, err := fmt.Sscan(rest, &n); err != nil {
			b.Fatal(name, err)
		}
		return n
	}
	return figure("used_memory") - figure("mem_clients_normal") - figure("mem_aof_buffer")
}
