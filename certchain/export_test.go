package certchain

// AppendDecoded is for the tests of base64url.
var AppendDecoded = appendDecoded
