package e2e

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

const (
	// deadline ends tests that hang. No test depends on its length.
	deadline = 2 * time.Minute
	// pollInterval is the interval in which a state is polled.
	pollInterval = 20 * time.Millisecond
)

// tab is a window of the browser. Its methods end the test if they fail.
type tab struct {
	t   *testing.T
	ctx context.Context
	// errorsAllowed means that errors on the console do not fail the test.
	errorsAllowed atomic.Bool
}

// newTab opens a window in a new profile.
func newTab(t *testing.T) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(needBrowser(t), chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	return attach(t, ctx)
}

// newWindow opens a window in the same profile.
func (w *tab) newWindow() *tab {
	ctx, cancel := chromedp.NewContext(w.ctx)
	w.t.Cleanup(cancel)
	return attach(w.t, ctx)
}

func attach(t *testing.T, ctx context.Context) *tab {
	t.Helper()
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	w := &tab{t: t}
	limited, stop := context.WithTimeout(ctx, deadline)
	t.Cleanup(stop)
	w.ctx = limited
	w.watchConsole()
	return w
}

// popup returns the window that the act opens.
func (w *tab) popup(act chromedp.Action[chromedp.Void]) *tab {
	w.t.Helper()
	w.loaded()
	opened := chromedp.WaitNewTarget(w.ctx, func(i *target.Info) bool { return i.Type == "page" && i.OpenerID != "" })
	w.do(act)
	select {
	case id := <-opened:
		ctx, cancel := chromedp.NewContext(w.ctx, chromedp.WithTargetID(id))
		w.t.Cleanup(cancel)
		return attach(w.t, ctx)
	case <-w.ctx.Done():
		w.t.Fatal("no window opened")
		return nil
	}
}

// Input ----------------------------------------------------------------------------

func (w *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	w.t.Helper()
	if err := chromedp.Do(w.ctx, actions...); err != nil {
		w.t.Fatal(err)
	}
}

func (w *tab) open(address string)   { w.t.Helper(); w.do(chromedp.Navigate(address)) }
func (w *tab) reload()               { w.t.Helper(); w.do(chromedp.Reload()) }
func (w *tab) click(selector string) { w.t.Helper(); w.input(clicking(selector)) }
func (w *tab) press(keys string)     { w.t.Helper(); w.input(pressing(keys)) }
func (w *tab) enter(selector, text string) {
	w.t.Helper()
	w.input(chromedp.SendKeys(chromedp.CSS(selector), text))
}

// input sends input to the page. If the page closes its window on the input, the
// browser may close it before it acknowledges the input: that is not an error.
func (w *tab) input(action chromedp.Action[chromedp.Void]) {
	w.t.Helper()
	w.loaded()
	if err := chromedp.Do(w.ctx, action); err != nil && !errors.Is(err, chromedp.ErrTargetDetached) {
		w.t.Fatal(err)
	}
}

// loaded waits for the page's scripts, because its buttons need them.
func (w *tab) loaded() { w.t.Helper(); w.wait("document.readyState === 'complete'") }

func clicking(selector string) chromedp.Action[chromedp.Void] {
	return chromedp.Click(chromedp.CSS(selector))
}

func pressing(keys string) chromedp.Action[chromedp.Void] { return chromedp.KeyEvent(keys) }

// States ------------------------------------------------------------------------

// see waits until the text of the element contains want.
func (w *tab) see(selector, want string) {
	w.t.Helper()
	w.wait(fmt.Sprintf("document.querySelector(%q)?.textContent.includes(%q)", selector, want))
}

// wait waits until an expression is true, across navigations.
func (w *tab) wait(expression string) {
	w.t.Helper()
	text := ""
	for {
		ok, err := chromedp.Run(w.ctx, chromedp.Evaluate[bool]("Boolean("+expression+")"))
		if err == nil && ok {
			return
		}
		if shown, err := chromedp.Run(w.ctx, chromedp.Evaluate[string]("location.href + '\\n' + document.body.innerText")); err == nil {
			text = shown
		}
		select {
		case <-time.After(pollInterval):
		case <-w.ctx.Done():
			w.t.Fatalf("waiting for %s: %v\nthe page shows: %s", expression, err, text)
		}
	}
}

// gone waits until a window that this one opened is closed.
func (w *tab) gone(popup *tab) {
	w.t.Helper()
	id := chromedp.FromContext(popup.ctx).Target.TargetID
	for {
		targets, err := chromedp.Targets(w.ctx)
		if err != nil {
			w.t.Fatal(err)
		}
		if !slices.ContainsFunc(targets, func(i *target.Info) bool { return i.TargetID == id }) {
			return
		}
		select {
		case <-time.After(pollInterval):
		case <-w.ctx.Done():
			w.t.Fatal("the window stays open")
		}
	}
}

// Access to the page -------------------------------------------------------------

// eval returns the value of an expression, or of its promise.
func eval[T any](w *tab, expression string) T {
	w.t.Helper()
	value, err := chromedp.Run(w.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		w.t.Fatalf("%s: %v", expression, err)
	}
	return value
}

// call sends a command of the protocol to the window.
func call[P, R any](w *tab, command cdp.Command[P, R], params P) R {
	w.t.Helper()
	result, err := chromedp.Call(w.ctx, command, params)
	if err != nil {
		w.t.Fatal(err)
	}
	return result
}

// allowErrors allows errors on the console of this window.
func (w *tab) allowErrors() { w.errorsAllowed.Store(true) }

// watchConsole fails the test if an error appears on the console.
func (w *tab) watchConsole() {
	ctx, stop := context.WithCancel(w.ctx)
	messages := chromedp.Console(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for m, err := range messages {
			if err != nil {
				return
			}
			w.t.Logf("console: %s", m)
			if !w.errorsAllowed.Load() && (m.Source != "network" && (m.Type == chromedp.ConsoleError || m.IsException())) {
				w.t.Fail()
			}
		}
	}()
	w.t.Cleanup(func() { stop(); <-done })
}
