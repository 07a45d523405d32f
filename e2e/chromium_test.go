package e2e

import (
	"context"
	"os"
	"os/exec"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/vepverify/vepverify/internal/testtool"
)

func TestMain(m *testing.M) {
	code := m.Run()
	for _, end := range atEnd {
		end()
	}
	os.Exit(code)
}

// atEnd has functions to call after all tests.
var atEnd []func()

// browser is the Chromium of all tests. Each test has a profile of its own in it.
var browser = sync.OnceValues(func() (context.Context, error) {
	internet, err := theInternet()
	if err != nil {
		return nil, err
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium()), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.WindowSize(1000, 800),
		chromedp.Flag("disable-popup-blocking", false), // windows open in a click only
		chromedp.Flag("host-resolver-rules", "MAP *.example:443 "+internet.listener.Addr().String()+", MAP *.example 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE *.localhost, EXCLUDE 127.0.0.1"),
		chromedp.Flag("ignore-certificate-errors-spki-list", certificate().pin),
		chromedp.Flag("enable-features", "NetworkService,NetworkServiceInProcess,EmailVerificationProtocol"), // the first two are those of chromedp
		chromedp.Flag("auto-grant-email-verification-permission-for-testing", true),                          // no test can press the button of the question
		chromedp.Flag("dns-txt-resolver-url-prefix", "https://"+dnsHost+"/resolve?name="),
	)
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, end := chromedp.NewContext(allocator, chromedp.WithErrorf(func(string, ...any) {})) // about events that chromedp does not know
	atEnd = append(atEnd, end, stop)
	return ctx, chromedp.Do(ctx)
})

// chromium returns the path of the program, or an empty string.
func chromium() string {
	for _, name := range []string{os.Getenv("CHROMIUM"), "chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// needBrowser returns the browser, or skips the test.
func needBrowser(t *testing.T) context.Context {
	t.Helper()
	if chromium() == "" {
		testtool.Missing(t, "chromium")
	}
	ctx, err := browser()
	if err != nil {
		t.Fatalf("Chromium does not start: %v", err)
	}
	return ctx
}
