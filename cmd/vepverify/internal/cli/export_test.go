package cli

// Unexported functions, for tests.
var Nearest = nearest

// Arrange puts arguments into the order for urfave/cli.
func (a *App) Arrange(args []string, env func(string) (string, bool)) ([]string, map[string]string, error) {
	return a.arrange(args, env)
}
