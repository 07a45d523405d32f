package clitest

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// OpenTerminal opens a pseudo-terminal: the side of the screen and keyboard, and
// the side of programs.
func OpenTerminal() (screen, terminal *os.File, err error) {
	screen, err = os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, nil, err
	}
	terminal, err = openOtherSide(screen)
	if err != nil {
		screen.Close()
		return nil, nil, err
	}
	return screen, terminal, nil
}

func openOtherSide(screen *os.File) (*os.File, error) {
	if err := unix.IoctlSetPointerInt(int(screen.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		return nil, err
	}
	number, err := unix.IoctlGetInt(int(screen.Fd()), unix.TIOCGPTN)
	if err != nil {
		return nil, err
	}
	return os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
}

// RunOnTerminal runs a program whose controlling terminal, /dev/tty, is a new
// pseudo-terminal. It types the text and the end of the input, and returns all
// that the program has written to the terminal. With asInput the terminal is
// also the program's standard input.
//
// It reads the terminal until all programs have closed it. Closing the screen
// as soon as the program has ended would lose what is still in the terminal's
// buffer.
func RunOnTerminal(cmd *exec.Cmd, typed string, asInput bool) (shown string, err error) {
	screen, terminal, err := OpenTerminal()
	if err != nil {
		return "", err
	}
	defer screen.Close()
	cmd.ExtraFiles = []*os.File{terminal}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 3}
	if asInput {
		cmd.Stdin = terminal
	}
	if err := cmd.Start(); err != nil {
		terminal.Close()
		return "", err
	}
	if err := terminal.Close(); err != nil {
		return "", err
	}
	const endOfInput = "\x04"
	go io.WriteString(screen, typed+endOfInput) // returns when the screen is closed, at the latest
	output, err := io.ReadAll(screen)
	if !errors.Is(err, syscall.EIO) { // on Linux, no program has the terminal open
		err = fmt.Errorf("reading the terminal ended with %v", err)
		return string(output), errors.Join(err, cmd.Wait())
	}
	return string(output), cmd.Wait()
}
