package fetch

import "net"

// NewClientFirstConn returns a connection whose Read waits for the first Write.
func NewClientFirstConn(c net.Conn) net.Conn { return newClientFirstConn(c) }
