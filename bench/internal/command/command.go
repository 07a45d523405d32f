// Package command has the common code of the programs of bench: main, the flags for
// results, and building the command that they measure.
package command

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"time"
)

// Main runs a program until it returns or is interrupted. It prints an error on standard
// error and exits with status 1, unless the error is flag.ErrHelp.
func Main(name string, run func(ctx context.Context, args []string) error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
}

// Record is the folder for results, and the date in them.
type Record struct {
	Results string // a folder; empty means that nothing is written
	Date    time.Time
}

// Flags adds the flags of r and sets their defaults: bench/results, today.
func (r *Record) Flags(f *flag.FlagSet) {
	r.Date = time.Now().UTC().Truncate(24 * time.Hour)
	f.StringVar(&r.Results, "results", filepath.Join("bench", "results"), "folder to write to; empty: write nothing")
	f.Func("date", "date in the results, such as 2006-01-02 (default: today)", func(text string) (err error) {
		r.Date, err = time.Parse(time.DateOnly, text)
		return err
	})
}

// Write writes a file into the folder. Without a folder it does nothing.
func (r *Record) Write(name string, content func(io.Writer) error) (err error) {
	if r.Results == "" {
		return nil
	}
	if err := os.MkdirAll(r.Results, 0o755); err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(r.Results, name))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return content(f)
}

// Build builds vepverify into a folder, and returns its path.
func Build(ctx context.Context, folder string, progress io.Writer) (string, error) {
	program := filepath.Join(folder, "vepverify")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", program, "github.com/vepverify/vepverify/cmd/vepverify")
	cmd.Stdout, cmd.Stderr = progress, progress
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("building vepverify: %w", err)
	}
	return program, nil
}
