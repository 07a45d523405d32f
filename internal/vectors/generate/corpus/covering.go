package corpus

// covering names the Go tests that hold what vectors cannot say: what happens on
// a network, in a cache, in the one-use guard.
var covering = map[string][]string{}
