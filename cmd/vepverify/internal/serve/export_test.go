package serve

import "log/slog"

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

// Watch returns watched files.
func Watch(logger *slog.Logger, load func() ([]any, error), names ...string) *watched {
	f := files{logger: logger}
	f.watch("file", load, names...)
	return f.watched[0]
}

// Poll looks at the files.
func (w *watched) Poll() { w.poll() }

// Reload reads the files as at SIGHUP.
func (w *watched) Reload() { w.reload(true) }
