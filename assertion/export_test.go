package assertion

// CompareAudience is compareAudience with the text that an answer would give,
// "" for a match.
func CompareAudience(signed, want string) string { return mismatchText[compareAudience(signed, want)] }
