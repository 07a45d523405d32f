package batch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/batch/pipeline"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
	"github.com/vepverify/vepverify/cmd/vepverify/internal/verifier"
	"github.com/vepverify/vepverify/internal/sniff"
	"github.com/vepverify/vepverify/internal/strictjson"
)

// answerer answers lines. It is safe for concurrent use.
type answerer struct {
	verifier  *assertion.Verifier
	audiences []string // of --audience
	printable bool     // the answers are written to a terminal
	text      bool     // the answers are for people, not JSON
	counts
}

// request is a parsed line.
type request struct {
	id        json.RawMessage // nil if the line has no id
	assertion string
	audiences []string
}

// badLine is the error of a malformed line. It contains no text of the line.
type badLine string

// errToken is the error of a line with a token of the Email Verification Protocol.
const errToken badLine = "a token of the Email Verification Protocol: batch verifies assertions; " +
	"verify it with vepverify FILE --audience ORIGIN --nonce NONCE"

func (b badLine) Error() string { return "bad line: " + string(b) }

// answer returns the answer to a line, on one line.
func (a *answerer) answer(ctx context.Context, line pipeline.Line) []byte {
	r, err := a.parse(line)
	var res *assertion.Result
	if err == nil {
		res, err = a.verifier.Verify(ctx, r.assertion, r.audiences...)
		if errors.Is(err, assertion.ErrMalformed) && sniff.Of(r.assertion) == sniff.EVPToken {
			err = errToken
		}
	}
	a.count(line.Number, err)
	if a.text {
		return textAnswer(r.id, res, err)
	}
	return a.withID(r.id, jsonAnswer(res, err))
}

// textAnswer returns an answer for people.
func textAnswer(id json.RawMessage, res *assertion.Result, err error) []byte {
	text := verifier.Summary(res, failureOf(err))
	if id != nil {
		text = cli.Printable(string(id)) + ": " + text
	}
	return []byte(text)
}

// jsonAnswer returns what the command verify prints.
func jsonAnswer(res *assertion.Result, err error) []byte {
	if err == nil {
		var answer []byte
		if answer, err = res.MarshalJSON(); err == nil { // json.Marshal would parse it again
			return answer
		}
	}
	answer, err := json.Marshal(failureOf(err))
	if err != nil {
		panic(err) // texts and a boolean can be marshaled
	}
	return answer
}

// parse parses a line. With an error, it returns the id if there is one.
func (a *answerer) parse(line pipeline.Line) (request, error) {
	text := bytes.TrimLeft(line.Text, " \t\r") // white space before a JSON object
	switch {
	case line.TooLong:
		return request{}, badLine(fmt.Sprintf("longer than %d bytes", pipeline.MaxLine))
	case len(text) == 0:
		return request{}, badLine("empty")
	case text[0] == '{':
		return a.parseObject(text)
	case len(a.audiences) == 0:
		return request{}, recognized(string(line.Text), "not a JSON object; a bare assertion needs --audience")
	}
	return request{assertion: string(line.Text), audiences: a.audiences}, nil
}

// parseObject parses a line that is a JSON object. With an error, it returns the id if it
// has been parsed.
func (a *answerer) parseObject(text []byte) (r request, err error) {
	var members [4]strictjson.Member
	o, err := strictjson.AppendObject(members[:0], text)
	var syntax *strictjson.SyntaxError
	if errors.As(err, &syntax) {
		return r, badLine(fmt.Sprintf("%s (byte %d)", syntax.Problem, syntax.Offset))
	}
	if err != nil {
		return r, badLine(err.Error())
	}
	var signed, audience json.RawMessage
	unknown := false
	for _, m := range o {
		switch m.Name {
		case "id":
			r.id = m.Value
		case "assertion":
			signed = m.Value
		case "audience":
			audience = m.Value
		default:
			unknown = true
		}
	}
	if unknown {
		if token, _ := o.Get("token"); token != nil && signed == nil {
			return r, errToken
		}
		return r, recognized(string(text), "a member other than id, assertion, audience")
	}
	if r.assertion, err = stringMember(signed, "assertion"); err != nil {
		return r, err
	}
	r.audiences, err = a.allowedAudiences(audience)
	return r, err
}

// recognized returns the error for a malformed line: what the line is, if that is recognized
// and needs a name of its own, else the problem.
func recognized(line, problem string) badLine {
	switch kind := sniff.Of(line); kind {
	case sniff.Unknown, sniff.Assertion, sniff.JSON, sniff.JSONAssertion:
		return badLine(problem)
	case sniff.EVPToken:
		return errToken
	default:
		return badLine(kind.String() + ": " + kind.Advice())
	}
}

// stringMember returns the text of a member that must be a string.
func stringMember(raw json.RawMessage, name string) (string, error) {
	if raw == nil {
		return "", badLine(name + " is missing")
	}
	if raw[0] != '"' {
		return "", badLine(name + " is not a string")
	}
	if bytes.IndexByte(raw, '\\') < 0 { // without escapes, the text is what the line has
		return string(raw[1 : len(raw)-1]), nil
	}
	text, _ := strictjson.String(raw)
	return text, nil
}

// allowedAudiences returns the audiences for a line. raw is its member audience, or nil
// if it has none. The audiences of --audience are a limit: otherwise the author of a bare
// assertion could write an object instead, and so choose the site.
func (a *answerer) allowedAudiences(raw json.RawMessage) ([]string, error) {
	if raw == nil && len(a.audiences) > 0 {
		return a.audiences, nil
	}
	audience, err := stringMember(raw, "audience")
	if err != nil {
		return nil, err
	}
	if len(a.audiences) > 0 && !slices.Contains(a.audiences, audience) {
		return nil, badLine("audience is not one of --audience")
	}
	return []string{audience}, nil
}

// failureOf returns the failure of a line, and nil if err is nil.
func failureOf(err error) *assertion.FailureAnswer {
	failed := assertion.Failure(err)
	if failed == nil && err != nil { // a malformed line
		failed = &assertion.FailureAnswer{Reason: err.Error()}
	}
	return failed
}

// withID adds the id, if there is one, before the members of an answer.
func (a *answerer) withID(id json.RawMessage, answer []byte) []byte {
	if !onlyASCII(answer) {
		answer = []byte(cli.Printable(string(answer)))
	}
	if id == nil {
		return answer
	}
	line := make([]byte, 0, len(`{"id":,`)+len(id)+len(answer))
	line = append(append(line, `{"id":`...), a.printableID(id)...)
	return append(append(line, ','), answer[1:]...)
}

// printableID returns an id as it is in the line, or for a terminal the same value without
// control characters.
func (a *answerer) printableID(id json.RawMessage) []byte {
	if !a.printable {
		return id
	}
	return []byte(cli.Printable(strings.Map(func(r rune) rune {
		if r == '\t' || r == '\r' { // outside of strings only: JSON does not allow them in a string
			return ' '
		}
		return r
	}, string(id))))
}

// onlyASCII reports whether data consists of printable ASCII characters.
func onlyASCII(data []byte) bool {
	return !slices.ContainsFunc(data, func(c byte) bool { return c < ' ' || c > '~' })
}
