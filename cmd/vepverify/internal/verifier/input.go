package verifier

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
	"github.com/vepverify/vepverify/internal/sniff"
)

// keysError returns the error for a file of --keys that cannot be read. It names a file with
// another content.
func keysError(name string, err error) error {
	data, readErr := os.ReadFile(name)
	kind := sniff.Of(string(data))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("--keys: %w", cli.ReadError(name, err))
	case readErr != nil || kind == sniff.Unknown || kind == sniff.Bundle || kind == sniff.JSON:
		return fmt.Errorf("--keys: %w (want a file {\"domain\": {support document}, …}, or a folder of domain.json)", err)
	case kind == sniff.SupportDocument:
		return fmt.Errorf("--keys: %s is a support document alone: name it DOMAIN.json in a folder, and give the folder", name)
	case kind == sniff.UTF8BOM || kind == sniff.UTF16 || kind == sniff.Compressed:
		return fmt.Errorf("--keys: %s is %s: %s", name, kind, kind.Advice())
	}
	return fmt.Errorf("--keys: %s is %s; want a bundle of support documents, as lookup --save writes it, or a folder of domain.json", name, kind)
}
