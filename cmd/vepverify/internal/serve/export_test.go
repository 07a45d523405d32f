package serve

// The garbage collector's settings.
const (
	GCPercent   = gcPercent
	MemoryLimit = memoryLimit
)

// LegacySettings returns the variables of the original verifier and the members of
// its configuration files.
func LegacySettings() (variables, members []string) {
	for _, s := range settings {
		variables, members = append(variables, s.variable), append(members, s.key)
	}
	return variables, members
}
