package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/vepverify/vepverify/internal/sniff"
)

// maxFile is the size limit of [Process.ReadFile], in bytes.
const maxFile = 1 << 20

// ReadFile reads a file of at most 1 MiB. The name "-" means standard input.
func (p *Process) ReadFile(ctx context.Context, name string) ([]byte, error) {
	return p.ReadWhole(ctx, name, maxFile)
}

// ReadWhole reads a file of at most limit bytes. The name "-" means standard input.
func (p *Process) ReadWhole(ctx context.Context, name string, limit int64) ([]byte, error) {
	data, err := p.ReadUpTo(ctx, name, limit+1)
	if err == nil && int64(len(data)) > limit {
		return nil, fmt.Errorf("%s: larger than %d bytes, so not the right file", FileName(name), limit)
	}
	return data, err
}

// ReadUpTo reads up to limit bytes of a file, or of standard input for "-". It
// returns [Interrupted] when ctx ends, even if standard input has not ended.
func (p *Process) ReadUpTo(ctx context.Context, name string, limit int64) ([]byte, error) {
	in, err := p.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	type result struct {
		data []byte
		err  error
	}
	done := make(chan result, 1)
	go func() {
		data, err := io.ReadAll(io.LimitReader(in, limit))
		done <- result{data, err}
	}()
	select {
	case r := <-done:
		return r.data, ReadError(name, r.err)
	case <-ctx.Done():
		return nil, Interrupted(ctx)
	}
}

// Input is a file or standard input.
type Input struct {
	io.Reader // an *os.File, or what the process has as its standard input
	io.Closer
}

// Open opens a file for reading. The name "-" means standard input, whose Close
// does nothing. Open returns [Interrupted] when ctx ends, even if the file is a named pipe
// that has no writer.
func (p *Process) Open(ctx context.Context, name string) (*Input, error) {
	if name == "-" {
		return &Input{p.In, io.NopCloser(nil)}, nil
	}
	if err := CheckFileName(name); err != nil {
		return nil, err
	}
	f, err := open(ctx, name)
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err == nil && info.IsDir() {
		f.Close()
		return nil, fmt.Errorf("%s is a folder; name a file in it", name)
	}
	return &Input{f, f}, nil
}

func open(ctx context.Context, name string) (*os.File, error) {
	if info, err := os.Stat(name); err == nil && info.Mode()&fs.ModeNamedPipe != 0 {
		return openPipe(ctx, name)
	}
	f, err := os.Open(name)
	return f, ReadError(name, err)
}

// openPipe opens a named pipe in the background, because the system waits for its writer.
func openPipe(ctx context.Context, name string) (*os.File, error) {
	type result struct {
		file *os.File
		err  error
	}
	done := make(chan result)
	go func() {
		f, err := os.Open(name)
		select {
		case done <- result{f, err}:
		case <-ctx.Done():
			f.Close() // which does nothing if f is nil
		}
	}()
	select {
	case r := <-done:
		return r.file, ReadError(name, r.err)
	case <-ctx.Done():
		return nil, Interrupted(ctx)
	}
}

// CheckFileName returns an error if an argument is a text itself in place of the name of a
// file, such as an assertion. The error does not repeat it.
func CheckFileName(arg string) error {
	kind := sniff.NotFileName(arg)
	if kind == sniff.Unknown || fileExists(arg) {
		return nil
	}
	return fmt.Errorf("the argument is %s, not the name of a file: "+
		"give the text on standard input, with - as the name: printf %%s \"$ASSERTION\" | vepverify - …", kind)
}

// checkFileNames returns an error if the value of a flag for a file is a text itself, such
// as an assertion or a key. The error does not repeat it.
func (c *Call) checkFileNames() error {
	for _, f := range c.command.Flags {
		if !strings.Contains(usageOf(f), "`FILE`") {
			continue
		}
		name, value := f.Names()[0], flagValue(f)
		kind := sniff.NotFileName(value)
		if kind != sniff.Unknown && !fileExists(value) {
			return c.UsageErrorf("%s is %s, not the name of a file", c.written(name, ""), kind)
		}
	}
	return nil
}

// FileName returns the name of a file for messages.
func FileName(name string) string {
	if name == "-" {
		return "standard input"
	}
	return name
}

// ReadError wraps an error of reading a file, without the name of the system
// call. It returns nil if err is nil.
func ReadError(name string, err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("cannot read %s: %w%s", name, systemError(err), missingFileHint(name))
	}
	return fmt.Errorf("cannot read %s: %w", FileName(name), systemError(err))
}

// WriteError wraps an error of writing a file, without the name of the system
// call. It names the cause if the file is a folder or its folder is missing.
func WriteError(name string, err error) error {
	if info, statErr := os.Stat(name); statErr == nil && info.IsDir() {
		return fmt.Errorf("cannot write %s: it is a folder; name a file in it", name)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("cannot write %s: %w: the folder %s is missing", name, systemError(err), filepath.Dir(name))
	}
	return fmt.Errorf("cannot write %s: %w", name, systemError(err))
}

// systemError returns the error of the system call alone. The name of the file in err
// may be that of a temporary file.
func systemError(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		return path.Err
	case errors.As(err, &link):
		return link.Err
	}
	return err
}

var errNotStdout = errors.New("\"-\" is not standard output here: name a file")

// CreateSecret writes a new file that only its owner can read. It never replaces
// a file, because a key that is overwritten is lost.
func CreateSecret(name string, data []byte) error {
	if name == "-" {
		return errNotStdout
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s exists already and is not overwritten: choose another name, or remove it", name)
	}
	if err != nil {
		return WriteError(name, err)
	}
	return finish(f, name, data)
}

// ReplaceFile writes a file whole or not at all. If the name is that of a symbolic link, it
// writes the file to which the link points.
func ReplaceFile(name string, data []byte) error {
	if name == "-" {
		return errNotStdout
	}
	target := name
	if path, err := filepath.EvalSymlinks(name); err == nil {
		target = path
	}
	f, err := os.CreateTemp(filepath.Dir(target), ".vepverify-*")
	if err != nil {
		return WriteError(name, err)
	}
	if err := f.Chmod(0o644); err != nil {
		f.Close()
		os.Remove(f.Name())
		return WriteError(name, err)
	}
	if err := finish(f, name, data); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), target); err != nil {
		os.Remove(f.Name())
		return WriteError(name, err)
	}
	return nil
}

// finish writes and closes a new file. If that fails, it removes the file.
func finish(f *os.File, name string, data []byte) error {
	_, err := f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		os.Remove(f.Name())
		return WriteError(name, err)
	}
	return nil
}
