package verifier

import (
	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
	"github.com/vepverify/vepverify/internal/sniff"
)

// InputError returns the error for an input file that cannot be opened. If the argument is
// an assertion or another text, and not a name, the error tells that and does not repeat it.
func InputError(c *cli.Call, name string, err error) error {
	switch kind := sniff.Of(name); kind {
	case sniff.Unknown, sniff.Email:
		return err
	case sniff.Empty:
		return c.UsageErrorf("the name of the file is empty, as of a variable that is not set")
	case sniff.URL:
		return c.UsageErrorf("the argument is a URL, not the name of a file")
	default:
		return c.UsageErrorf("the argument is %s, not the name of a file: give the text on standard input: printf %%s \"$ASSERTION\" | vepverify - …", kind)
	}
}
