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
	"github.com/vepverify/vepverify/internal/strictjson"
)

// answerer answers lines. It is safe for concurrent use.
type answerer struct {
	verifier  *assertion.Verifier
	audiences []string // of --audience
	printable bool     // answers go to a terminal
	tally
}

// request is what a line asks.
type request struct {
	id        json.RawMessage // nil when there is none
	assertion string
	audiences []string
}

// badLine says why a line cannot be verified, without what it says.
type badLine string

func (b badLine) Error() string { return "bad line: " + string(b) }

// answer gives the answer to a line: a JSON object, whatever the line is.
func (a *answerer) answer(ctx context.Context, line pipeline.Line) []byte {
	r, err := a.read(line)
	var answer []byte
	if err == nil {
		answer, err = a.verify(ctx, r)
	}
	a.count(line.Number, err)
	if err != nil {
		answer = failureAnswer(err)
	}
	return a.withID(r.id, answer)
}

// verify gives what the command verify prints for an assertion that holds.
func (a *answerer) verify(ctx context.Context, r request) ([]byte, error) {
	res, err := a.verifier.Verify(ctx, r.assertion, r.audiences...)
	if err != nil {
		return nil, err
	}
	return res.MarshalJSON() // json.Marshal would only read it again
}

// read takes a line apart. With an error it gives the id, if there is one.
func (a *answerer) read(line pipeline.Line) (request, error) {
	text := bytes.TrimLeft(line.Text, " \t\r") // what JSON may begin with
	switch {
	case line.TooLong:
		return request{}, badLine(fmt.Sprintf("longer than %d bytes", pipeline.MaxLine))
	case len(text) == 0:
		return request{}, badLine("empty")
	case text[0] == '{':
		return a.readObject(text)
	case len(a.audiences) == 0:
		return request{}, badLine("no JSON object; a bare assertion needs --audience")
	}
	return request{assertion: string(line.Text), audiences: a.audiences}, nil
}

func (a *answerer) readObject(text []byte) (r request, err error) {
	var room [4]strictjson.Member
	o, err := strictjson.AppendObject(room[:0], text)
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
		return r, badLine("a member that is none of id, assertion, audience")
	}
	if r.assertion, err = stringMember(signed, "assertion"); err != nil {
		return r, err
	}
	r.audiences, err = a.accepted(audience)
	return r, err
}

// stringMember gives the text of a member that must be a string.
func stringMember(raw json.RawMessage, name string) (string, error) {
	if raw == nil {
		return "", badLine(name + " is missing")
	}
	if raw[0] != '"' {
		return "", badLine(name + " is no string")
	}
	if bytes.IndexByte(raw, '\\') < 0 { // it stands there as it is, and was read once
		return string(raw[1 : len(raw)-1]), nil
	}
	text, _ := strictjson.String(raw)
	return text, nil
}

// accepted gives the audiences for a line that names this one, or none when
// raw is nil. What --audience gives is the limit: whoever wrote an assertion in
// a file of bare ones could else write an object there, and say for themselves
// which site it is for.
func (a *answerer) accepted(raw json.RawMessage) ([]string, error) {
	if raw == nil && len(a.audiences) > 0 {
		return a.audiences, nil
	}
	audience, err := stringMember(raw, "audience")
	if err != nil {
		return nil, err
	}
	if len(a.audiences) > 0 && !slices.Contains(a.audiences, audience) {
		return nil, badLine("audience is none of --audience")
	}
	return []string{audience}, nil
}

func failureAnswer(err error) []byte {
	failed := assertion.Failure(err)
	if failed == nil {
		failed = &assertion.FailureAnswer{Reason: err.Error()}
	}
	answer, err := json.Marshal(failed)
	if err != nil {
		panic(err) // it is texts and a truth value
	}
	return answer
}

// withID puts the id, if there is one, in front of the members of an answer.
func (a *answerer) withID(id json.RawMessage, answer []byte) []byte {
	if !onlyASCII(answer) {
		answer = []byte(cli.Printable(string(answer)))
	}
	if id == nil {
		return answer
	}
	line := make([]byte, 0, len(`{"id":,`)+len(id)+len(answer))
	line = append(append(line, `{"id":`...), a.shown(id)...)
	return append(append(line, ','), answer[1:]...)
}

// shown gives an id as it stood in the line; for a terminal, the same value
// without what a terminal would act upon.
func (a *answerer) shown(id json.RawMessage) []byte {
	if !a.printable {
		return id
	}
	return []byte(cli.Printable(strings.Map(func(r rune) rune {
		if r == '\t' || r == '\r' { // not within a string: there it would be no JSON
			return ' '
		}
		return r
	}, string(id))))
}

// onlyASCII says whether data is printable already.
func onlyASCII(data []byte) bool {
	return !slices.ContainsFunc(data, func(c byte) bool { return c < ' ' || c > '~' })
}
