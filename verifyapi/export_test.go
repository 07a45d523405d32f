package verifyapi

// BuiltVersion is builtVersion, for tests.
var BuiltVersion = builtVersion
