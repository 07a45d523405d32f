package cli

// Unexported functions, for tests.
var (
	Approximate = approximate
	Nearest     = nearest
)

// Arrange puts arguments into the order for urfave/cli.
func (a *App) Arrange(args []string, env func(string) (string, bool)) ([]string, map[string]bool, error) {
	return a.arrange(args, env)
}
