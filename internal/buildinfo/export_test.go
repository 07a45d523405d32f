package buildinfo

// Of is infoOf, for the tests.
var Of = infoOf
