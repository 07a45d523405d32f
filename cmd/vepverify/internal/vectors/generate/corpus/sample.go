package corpus

// addSample adds the assertion that the README verifies, with the keys for it:
// the verification that all vectors begin with.
func addSample(files map[string][]byte) error {
	s := holds()
	keys, err := encode(raw(s.documents))
	if err != nil {
		return err
	}
	files["testdata/sample/assertion.txt"] = []byte(s.backed() + "\n")
	files["testdata/sample/keys.json"] = keys
	return nil
}
