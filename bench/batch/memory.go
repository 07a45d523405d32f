package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
)

// memoryGoal is the limit of resident memory, in MiB.
const memoryGoal = 96

// measureMemory prints the command's peak of resident memory.
func measureMemory(ctx context.Context, o options, c *inputs, out, progress io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd := c.command(ctx, o.command)
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	answers, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	begin := time.Now()
	var peak int64
	progressed := func(sent int64) (err error) {
		peak, err = highWater(cmd.Process.Pid)
		fmt.Fprintf(progress, "%d lines after %s: %d KiB\n", sent, time.Since(begin).Round(time.Second), peak)
		return err
	}
	okay := make(chan int64, 1)
	go func() { okay <- countOkay(answers, o.lines) }()
	err = send(ctx, o.lines, c.spread, in, progressed)
	var good int64
	if err == nil {
		good = <-okay // everything is answered, and the process still runs
		err = progressed(o.lines)
	}
	took := time.Since(begin)
	if err != nil {
		cancel()
	}
	if err := errors.Join(err, in.Close(), cmd.Wait()); err != nil {
		return err
	}
	fmt.Fprintf(out, "%d lines, %d okay, in %s (%.0f/s): at most %.1f MiB resident (goal %d)\n", o.lines, good,
		took.Round(time.Second), float64(o.lines)/took.Seconds(), float64(peak)/1024, memoryGoal)
	if good != o.lines {
		return errors.New("some answers are not okay")
	}
	return nil
}

// send writes the lines, and calls progressed about twenty times with their number.
func send(ctx context.Context, lines int64, texts []string, to io.Writer, progressed func(int64) error) error {
	w := bufio.NewWriterSize(to, 64<<10)
	var line []byte
	for i := range lines {
		if i%(max(lines/20, 1)) == 0 {
			if err := errors.Join(ctx.Err(), progressed(i)); err != nil {
				return err
			}
		}
		line = appendLine(line[:0], i, texts[i%int64(len(texts))])
		if _, err := w.Write(line); err != nil {
			return err
		}
	}
	return w.Flush()
}

// countOkay reads that many answers, or to the end, and returns the number of those that
// are okay and have the expected id.
func countOkay(answers io.Reader, lines int64) (good int64) {
	r := bufio.NewReaderSize(answers, 64<<10)
	for n := range lines {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return good
		}
		want := append(strconv.AppendInt([]byte(`{"id":`), n, 10), `,"status":"okay",`...)
		if bytes.HasPrefix(line, want) {
			good++
		}
	}
	return good
}

// highWater returns a process's peak of resident memory, in KiB.
func highWater(pid int) (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == "VmHWM:" {
			return strconv.ParseInt(fields[1], 10, 64)
		}
	}
	return 0, fmt.Errorf("no VmHWM in /proc/%d/status", pid)
}
