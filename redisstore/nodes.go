package redisstore

import (
	"context"
	"errors"
	"net"
	"sync/atomic"

	"github.com/redis/go-redis/v9"
)

// asked are the nodes of a cluster that failed during a call, and their errors. Errors of
// go-redis do not name the node.
type asked []struct {
	addr string
	err  error
}

// withAsked returns a context in which nodes are noted.
func withAsked(ctx context.Context) (context.Context, *asked) {
	a := new(asked)
	return context.WithValue(ctx, (*asked)(nil), a), a
}

// node returns the address of the last node that failed with err, or "".
func (a *asked) node(err error) string {
	for i := len(*a) - 1; i >= 0; i-- {
		if errors.Is(err, (*a)[i].err) {
			return (*a)[i].addr
		}
	}
	return ""
}

// nodeHook notes the failures of the node with this address. It implements redis.Hook.
type nodeHook string

func (h nodeHook) note(ctx context.Context, err error) error {
	if a, ok := ctx.Value((*asked)(nil)).(*asked); ok && err != nil {
		*a = append(*a, struct {
			addr string
			err  error
		}{string(h), err})
	}
	return err
}

// DialHook implements redis.Hook.
func (h nodeHook) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessHook implements redis.Hook.
func (h nodeHook) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error { return h.note(ctx, next(ctx, cmd)) }
}

// ProcessPipelineHook implements redis.Hook.
func (h nodeHook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error { return h.note(ctx, next(ctx, cmds)) }
}

// masterHook notes the master to which Sentinels have led. It implements redis.Hook.
type masterHook struct{ addr atomic.Value }

// last returns the address of the last master, or "".
func (h *masterHook) last() string {
	addr, _ := h.addr.Load().(string)
	return addr
}

// DialHook implements redis.Hook.
func (h *masterHook) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := next(ctx, network, addr)
		if err == nil {
			h.addr.Store(conn.RemoteAddr().String())
		}
		return conn, err
	}
}

// ProcessHook implements redis.Hook.
func (h *masterHook) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

// ProcessPipelineHook implements redis.Hook.
func (h *masterHook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}
