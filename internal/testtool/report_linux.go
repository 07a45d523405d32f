package testtool

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// report writes a line to the standard error of the go command, if that started this
// process. An error is ignored: the line is for people only, and go test -v has it too.
func report(line string) {
	parent := os.Getppid()
	program, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", parent))
	if err != nil || filepath.Base(program) != "go" {
		return
	}
	to, err := standardError(parent)
	if err != nil {
		return
	}
	defer to.Close()
	_, _ = to.WriteString(line)
}

// standardError returns the standard error of a process. Some systems forbid to take
// another process's descriptor. Then the file is opened anew, but not a regular file:
// what one of the two openers writes there would overwrite what the other wrote.
func standardError(process int) (*os.File, error) {
	handle, err := unix.PidfdOpen(process, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(handle)
	if fd, err := unix.PidfdGetfd(handle, int(os.Stderr.Fd()), 0); err == nil {
		return os.NewFile(uintptr(fd), "stderr"), nil
	}
	name := fmt.Sprintf("/proc/%d/fd/%d", process, os.Stderr.Fd())
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: a regular file", name)
	}
	return os.OpenFile(name, os.O_WRONLY, 0)
}
