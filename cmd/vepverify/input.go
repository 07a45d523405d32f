package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/vepverify/vepverify/assertion"
)

// maxFile bounds the small files that commands read: keys, identities.
const maxFile = 1 << 20

// readAssertion reads the one assertion that the arguments name: a file, or
// standard input for "-" and for no argument. One line break at its end, which
// editors and shells write, is not part of it. Of what is too large it gives enough for the
// library to say so.
func (p *process) readAssertion(c *cli.Context) (string, error) {
	if c.NArg() > 1 {
		return "", usageError(c, "one file at a time, not %d", c.NArg())
	}
	name := "-"
	if c.NArg() == 1 {
		name = c.Args().First()
	} else if isTerminal(p.in) {
		return "", usageError(c, "no assertion: name the file that holds it, or \"-\" to type it")
	}
	data, err := p.read(c.Context, name, assertion.MaxSize+int64(len("\r\n"))+1)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("%w (nor is it a command: vepverify help lists them)", err)
	}
	if err != nil {
		return "", err
	}
	text, cut := strings.CutSuffix(string(data), "\n")
	if cut {
		text = strings.TrimSuffix(text, "\r")
	}
	return text, nil
}

// readFile reads a small file; "-" is standard input.
func (p *process) readFile(ctx context.Context, name string) ([]byte, error) {
	data, err := p.read(ctx, name, maxFile+1)
	if err == nil && len(data) > maxFile {
		return nil, fmt.Errorf("%s: larger than %d bytes, so not what is wanted here", name, maxFile)
	}
	return data, err
}

// read gives up to limit bytes of a file or of standard input. It ends with
// ctx, although standard input may not.
func (p *process) read(ctx context.Context, name string, limit int64) ([]byte, error) {
	from := p.in
	if name != "-" {
		f, err := openFile(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		from = f
	}
	type outcome struct {
		data []byte
		err  error
	}
	done := make(chan outcome, 1)
	go func() {
		data, err := io.ReadAll(io.LimitReader(from, limit))
		done <- outcome{data, err}
	}()
	select {
	case o := <-done:
		return o.data, fileError(name, o.err)
	case <-ctx.Done():
		return nil, fmt.Errorf("interrupted while reading %s", nameOf(name))
	}
}

func openFile(name string) (*os.File, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fileError(name, err)
	}
	if info, err := f.Stat(); err == nil && info.IsDir() {
		f.Close()
		return nil, fmt.Errorf("%s is a folder; name a file in it", name)
	}
	return f, nil
}

// fileError says what is wrong with a file without the system call's name.
func fileError(name string, err error) error {
	var path *fs.PathError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &path):
		err = path.Err
	}
	return fmt.Errorf("cannot read %s: %w", nameOf(name), err)
}

func nameOf(file string) string {
	if file == "-" {
		return "standard input"
	}
	return file
}
