package wellknown_test

import (
	"io"
	"log"
)

// quiet takes what test servers say about clients that leave.
var quiet = log.New(io.Discard, "", 0)
