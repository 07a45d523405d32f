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
	var unreadable *fs.PathError
	if errors.As(err, &unreadable) {
		return fmt.Errorf("--keys: %w", cli.ReadError(unreadable.Path, err))
	}
	switch kind := kindOfFile(name); {
	case kind == sniff.Unknown || kind == sniff.Bundle || kind == sniff.JSON:
		return fmt.Errorf("--keys: %w (want a file {\"domain\": {support document}, …}, or a folder of domain.json)", err)
	case kind == sniff.EVPBundle:
		return fmt.Errorf("--keys: %w (want the form that lookup --evp --save writes)", err)
	case kind == sniff.EVPMetadata || kind == sniff.KeySet:
		return fmt.Errorf("--keys: %s is %s alone; want a bundle with its URL, as lookup --evp --save writes it", name, kind)
	case kind == sniff.SupportDocument:
		return fmt.Errorf("--keys: %s is a support document alone: name it DOMAIN.json in a folder, and give the folder", name)
	case kind == sniff.UTF8BOM || kind == sniff.UTF16 || kind == sniff.Compressed:
		return fmt.Errorf("--keys: %s is %s: %s", name, kind, kind.Advice())
	default:
		return fmt.Errorf("--keys: %s is %s; want a bundle of support documents, as lookup --save writes it, or a folder of domain.json", name, kind)
	}
}

// kindOfFile returns what a file is. It is unknown for a folder, and for a pipe, which
// cannot be read twice.
func kindOfFile(name string) sniff.Kind {
	if info, err := os.Stat(name); err != nil || !info.Mode().IsRegular() {
		return sniff.Unknown
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return sniff.Unknown
	}
	return sniff.OfFile(data)
}
