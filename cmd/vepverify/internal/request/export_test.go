package request

import (
	"context"
	"net/http"
	"time"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
)

// Do sends a request over a transport and writes the answer.
func Do(ctx context.Context, p *cli.Process, timeout time.Duration, req *http.Request, transport http.RoundTripper) error {
	x := &exchange{command: &command{timeout: cli.Span(timeout)}, Process: p}
	return x.do(ctx, req, transport)
}
