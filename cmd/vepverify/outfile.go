package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// createSecret writes a file that only its owner can read. It never replaces
// one: a key overwritten is a key lost.
func createSecret(name string, data []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s exists already and is not overwritten: choose another name, or remove it", name)
	}
	if err != nil {
		return writeError(name, err)
	}
	return finish(f, name, data)
}

// replaceFile writes a file whole or not at all.
func replaceFile(name string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), ".vepverify-*")
	if err != nil {
		return writeError(name, err)
	}
	if err := f.Chmod(0o644); err != nil {
		f.Close()
		os.Remove(f.Name())
		return writeError(name, err)
	}
	if err := finish(f, name, data); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), name); err != nil {
		os.Remove(f.Name())
		return writeError(name, err)
	}
	return nil
}

// finish writes and closes a new file, which is removed when that fails.
func finish(f *os.File, name string, data []byte) error {
	_, err := f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		os.Remove(f.Name())
		return writeError(name, err)
	}
	return nil
}

// writeError names the file that was asked for, not the one written first.
func writeError(name string, err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		err = path.Err
	case errors.As(err, &link):
		err = link.Err
	}
	return fmt.Errorf("cannot write %s: %w", name, err)
}
