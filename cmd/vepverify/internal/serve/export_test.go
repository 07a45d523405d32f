package serve

// The garbage collector's settings.
const (
	GCPercent   = gcPercent
	MemoryLimit = memoryLimit
)

// OriginalSettings returns the variables of the original verifier and the members of
// its configuration files.
func OriginalSettings() (variables, members []string) {
	for _, s := range settings {
		variables, members = append(variables, s.variable), append(members, s.member)
	}
	return variables, members
}
