package vepauth

// Challenges is parseChallenges: scheme, then name and value in turn, and "!"
// at the end of a malformed one.
func Challenges(header string) (all [][]string) {
	for _, c := range parseChallenges(header) {
		flat := []string{c.scheme}
		for _, p := range c.params {
			flat = append(flat, p.name, p.value)
		}
		if c.malformed {
			flat = append(flat, "!")
		}
		all = append(all, flat)
	}
	return all
}

// Spaces says how many token endpoints of an origin are remembered.
func (t *Transport) Spaces(origin string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.sites[origin])
}
