package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/vepauth"
)

// write writes the answer, as it comes. Part of one is undecided.
func (x *exchange) write(ctx context.Context, res *http.Response) error {
	to := x.out
	var file *os.File
	if x.output != "" && x.output != "-" {
		var err error
		if file, err = os.Create(x.output); err != nil {
			return writeError(x.output, err)
		}
		to = file
	}
	body := &remembering{Reader: res.Body}
	err := x.copyAnswer(to, res, body)
	if file != nil {
		err = errors.Join(err, file.Close())
	}
	switch {
	case body.failed != nil:
		fmt.Fprintf(x.err, "%s: the answer was cut off: %s\n", program, x.why(ctx, body.failed))
		return exitUndecided
	case err != nil:
		return writeError(x.output, err)
	}
	return nil
}

// copyAnswer writes status and headers, if they are wanted, and the body.
func (x *exchange) copyAnswer(to io.Writer, res *http.Response, body io.Reader) error {
	if x.include {
		head := bufio.NewWriter(to)
		fmt.Fprintf(head, "%s %s\r\n", res.Proto, res.Status)
		res.Header.Write(head)
		head.WriteString("\r\n")
		if err := head.Flush(); err != nil {
			return err
		}
	}
	_, err := io.Copy(to, body)
	return err
}

// remembering tells the errors of a reader from those of whoever writes what it
// gives.
type remembering struct {
	io.Reader
	failed error
}

// Read implements io.Reader.
func (r *remembering) Read(b []byte) (int, error) {
	n, err := r.Reader.Read(b)
	if err != nil && err != io.EOF {
		r.failed = err
	}
	return n, err
}

// unanswered answers in place of the server, by why there is no answer. What
// cannot be sent at all is a complaint.
func (x *exchange) unanswered(ctx context.Context, err error) error {
	var lost *unreachable
	var refused *vepauth.TokenError
	failed := new(assertion.FailureAnswer)
	switch {
	case ctx.Err() != nil || errors.As(err, &lost):
		failed.Reason, failed.Undecided = x.why(ctx, err), true
	case errors.As(err, &refused):
		failed.Reason = strings.TrimPrefix(err.Error(), "vepauth: ")
		if x.reason != "" {
			failed.Reason += ": " + x.reason
		}
		failed.Undecided = refused.Status == 0 || answerStatus(refused.Status) == exitUndecided
	case errors.Is(err, vepauth.ErrChallenge):
		failed.Reason = strings.TrimPrefix(err.Error(), "vepauth: ")
	default:
		return errors.New(strings.TrimPrefix(err.Error(), "vepauth: "))
	}
	failed.Reason = shortened(failed.Reason, 1000)
	if err := x.printJSON(failed); err != nil {
		return err
	}
	if failed.Undecided {
		return exitUndecided
	}
	return exitFailure
}

// why says in words of our own why nothing, or nothing more, came.
func (x *exchange) why(ctx context.Context, err error) string {
	switch {
	case errors.Is(context.Cause(ctx), errPatience):
		return "no answer within " + x.timeout.String()
	case ctx.Err() != nil:
		return "interrupted"
	}
	return networkReason(err)
}
