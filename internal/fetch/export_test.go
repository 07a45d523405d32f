package fetch

import (
	"net"
	"sync/atomic"
)

// NewClientFirstConn returns a connection whose Read waits for the first Write.
func NewClientFirstConn(c net.Conn) net.Conn { return newClientFirstConn(c, new(atomic.Int64)) }
