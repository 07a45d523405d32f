package login

// IsLocal is open to the tests.
var IsLocal = isLocal
