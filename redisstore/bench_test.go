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

// BenchmarkFirstUse uses new keys, 32 at a time, and measures the memory that one
// entry takes in Redis. It measures the figures of docs/REPLAY.md:
//
//	go test -run '^$' -bench . -benchtime 100000x ./redisstore
func BenchmarkFirstUse(b *testing.B) {
	for _, fsync := range []string{"always", "everysec"} {
		b.Run(fsync, func(b *testing.B) {
			server := redistest.Start(b, "--appendfsync", fsync)
			s := open(b, server.URL(), longTimeout)
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

// usedMemory returns the server's memory without the buffers of its connections and
// its file.
func usedMemory(b *testing.B, server *redistest.Server) int {
	b.Helper()
	info, err := client(b, server).Info(b.Context(), "memory").Result()
	if err != nil {
		b.Fatal(err)
	}
	number := func(name string) (n int) {
		_, rest, _ := strings.Cut(info, "\n"+name+":")
		if _, err := fmt.Sscan(rest, &n); err != nil {
			b.Fatal(name, err)
		}
		return n
	}
	return number("used_memory") - number("mem_clients_normal") - number("mem_aof_buffer")
}
