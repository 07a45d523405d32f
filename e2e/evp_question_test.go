package e2e

import (
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/vepverify/vepverify/internal/testtool"
)

// The size of a screen.
const screenWidth, screenHeight = 880, 760

// screen is an X server without a monitor.
type screen struct{ display, frame string }

// newScreen starts Xvfb.
func newScreen(t *testing.T) *screen {
	t.Helper()
	if _, err := exec.LookPath("Xvfb"); err != nil {
		testtool.Missing(t, "xvfb")
	}
	dir := t.TempDir()
	ready, told, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	server := exec.Command("Xvfb", "-displayfd", "3", "-screen", "0", fmt.Sprintf("%dx%dx24", screenWidth, screenHeight), "-fbdir", dir, "-nolisten", "tcp")
	server.ExtraFiles = []*os.File{told}
	startCommand(t, server)
	_ = told.Close() // the server has it
	var number int
	if _, err := fmt.Fscan(ready, &number); err != nil {
		t.Fatal(err)
	}
	return &screen{fmt.Sprintf(":%d", number), filepath.Join(dir, "Xvfb_screen0")}
}

// picture returns what the screen shows. The file is in the format of xwd, with 32 bits for
// a pixel.
func (s *screen) picture() (image.Image, error) {
	data, err := os.ReadFile(s.frame)
	if err != nil {
		return nil, err
	}
	const header = 100
	if len(data) < header {
		return nil, errors.New("xwd: too short")
	}
	field := func(i int) int { return int(binary.BigEndian.Uint32(data[4*i:])) }
	size, width, height, bits, line, colors := field(0), field(4), field(5), field(11), field(12), field(19)
	pixels := data[size+12*colors:]
	if bits != 32 || len(pixels) < height*line {
		return nil, fmt.Errorf("xwd: %d bits, %d bytes", bits, len(pixels))
	}
	picture := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			p := pixels[y*line+4*x:]
			picture.Set(x, y, color.RGBA{p[2], p[1], p[0], 255})
		}
	}
	return picture, nil
}

// TestDemoEVPQuestion takes a picture of the question that the browser asks before it gets a
// token. The question is not a part of the page, so this needs a screen.
func TestDemoEVPQuestion(t *testing.T) {
	dir := os.Getenv("DOCS_SCREENSHOTS")
	if dir == "" {
		t.Skip("DOCS_SCREENSHOTS is not set")
	}
	s := newScreen(t)
	c := start(t, "demo", "--evp", "--port", "0")
	w, quit := startPrinted(t, "env DISPLAY="+s.display+" "+c.find(`in which the demo works:\n  ([^\n]*)\n`), c.find(`--user-data-dir=(\S+)`), true)
	w.clickText("a", "sign in at your mail provider")
	w.see("h1", "Sign in to your mail")
	w.click("main button")
	w.clickText("a", "Go to the shop")
	w.see("h1", "Sign in with your email")
	w.typeAddress("ada@mail.example")
	time.Sleep(3 * time.Second) // nothing tells when the browser has asked
	shown, err := s.picture()
	if err != nil {
		t.Fatal(err)
	}
	small, err := compressedImage(shown)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "evp-question.png"), small, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	quit()
	c.interrupt()
}
