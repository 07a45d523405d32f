package signature

// Parameters returns the parameters of an Authorization header as name and value in turn.
func Parameters(header string) ([]string, error) {
	params, err := appendParams(nil, header)
	return flatten(params), err
}

// Flatten returns a challenge as scheme, then name and value in turn, and "!" at the end
// if it is malformed.
func Flatten(c Challenge) []string {
	flat := append([]string{c.Scheme}, flatten(c.params)...)
	if c.Malformed {
		flat = append(flat, "!")
	}
	return flat
}

func flatten(params []parameter) (flat []string) {
	for _, p := range params {
		flat = append(flat, p.name, p.value)
	}
	return flat
}
