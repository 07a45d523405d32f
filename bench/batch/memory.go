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

// memoryGoal is how much may be resident, in MiB.
const memoryGoal = 96

// measureMemory prints what the command took at most.
func measureMemory(ctx context.Context, o options, c *crowd, out, progress io.Writer) error {
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
	tell := func(sent int64) (err error) {
		peak, err = highWater(cmd.Process.Pid)
		fmt.Fprintf(progress, "%d lines after %s: %d KiB\n", sent, time.Since(begin).Round(time.Second), peak)
		return err
	}
	okay := make(chan int64, 1)
	go func() { okay <- countOkay(answers, o.lines) }()
	err = send(ctx, o.lines, c.spread, in, tell)
	var good int64
	if err == nil {
		good = <-okay // now all is answered, and the process still there to be asked
		err = tell(o.lines)
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
		return errors.New("not every answer is okay")
	}
	return nil
}

// send writes the lines, and tells now and then how many.
func send(ctx context.Context, lines int64, texts []string, to io.Writer, tell func(int64) error) error {
	w := bufio.NewWriterSize(to, 64<<10)
	var line []byte
	for i := range lines {
		if i%(max(lines/20, 1)) == 0 {
			if err := errors.Join(ctx.Err(), tell(i)); err != nil {
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

// countOkay reads so many answers, or to the end, keeps none, and counts those
// that are okay and have the id that is their turn.
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

// highWater gives the most memory of a process that was ever resident, in KiB.
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
