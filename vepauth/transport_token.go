package vepauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/vepverify/vepverify/internal/strictjson"
)

// maxTokenAnswer bounds what is read of a token endpoint's answer, in bytes.
const maxTokenAnswer = 64 << 10

// TokenError: a token endpoint gave no credentials.
type TokenError struct {
	// Origin is whose token endpoint it is.
	Origin string
	// Status is that of its answer; 200 for one that makes no sense, 0 when
	// there was none.
	Status int
	// Err says what was wrong with the answer, or why there was none; nil if
	// Status tells.
	Err error
}

// Error does not give the text of what went wrong on the network, as that can
// quote the server.
func (e *TokenError) Error() string {
	text := "vepauth: no credentials from " + e.Origin + ": "
	switch {
	case e.Status == 0:
		return text + "the token endpoint did not answer"
	case e.Err != nil:
		return text + "the token endpoint's answer has " + e.Err.Error()
	}
	return text + "the token endpoint answered with status " + strconv.Itoa(e.Status)
}

// Unwrap gives the cause, if there is one.
func (e *TokenError) Unwrap() error { return e.Err }

// signIn gets an assertion and exchanges it for credentials.
func (t *Transport) signIn(ctx context.Context, s *space) (*session, error) {
	assertion, err := t.Assertion(ctx, s.at.text)
	if err != nil {
		return nil, fmt.Errorf("vepauth: no assertion for %s: %w", s.at.text, err)
	}
	answer, err := t.post(ctx, s, assertion)
	if err != nil {
		return nil, err
	}
	c, life, err := readCredentials(s.scheme, answer)
	if err != nil {
		return nil, &TokenError{s.at.text, http.StatusOK, err}
	}
	if s.scheme == OAuthVEP {
		c.Method = t.Method
	}
	got := &session{of: s, credentials: c}
	if life > 0 {
		got.expires = t.now().Add(life)
	}
	return got, nil
}

// post gives what the token endpoint answers an assertion with. It does without
// an http.Client, which would follow redirects.
func (t *Transport) post(ctx context.Context, s *space, assertion string) ([]byte, error) {
	form := url.Values{"assertion": {assertion}}.Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.endpoint.String(), strings.NewReader(form))
	if err != nil {
		return nil, fmt.Errorf("%w: the token endpoint of %s is no URL", ErrChallenge, s.at.text)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept", "application/json")
	res, err := t.base().RoundTrip(r)
	if err != nil {
		return nil, unreached(ctx, s.at, err)
	}
	defer discard(res)
	if res.StatusCode != http.StatusOK {
		return nil, &TokenError{Origin: s.at.text, Status: res.StatusCode}
	}
	answer, err := readAtMost(res.Body, maxTokenAnswer)
	switch {
	case errors.Is(err, errTooLarge):
		return nil, &TokenError{s.at.text, http.StatusOK, errors.New("more than 64 KiB")}
	case err != nil:
		return nil, unreached(ctx, s.at, err)
	}
	return answer, nil
}

// unreached is the error when there is no whole answer: that of the context if
// it is the caller who left.
func unreached(ctx context.Context, at origin, cause error) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("vepauth: no credentials from %s: %w", at.text, err)
	}
	return &TokenError{Origin: at.text, Err: cause}
}

// readCredentials takes the credentials out of a token endpoint's answer, and how
// long they are good by the member duration, which some servers add, in
// seconds; 0 if that is not told, as then a challenge tells. Other members do
// not matter.
func readCredentials(scheme Scheme, answer []byte) (c Credentials, life time.Duration, err error) {
	object, err := strictjson.ParseObject(answer)
	if err != nil {
		return c, 0, fmt.Errorf("no JSON object: %w", err)
	}
	text := func(name string) string {
		raw, _ := object.Get(name)
		value, _ := strictjson.String(raw)
		return value
	}
	c = Credentials{Scheme: scheme, ID: text(oauthConsumerKey), Secret: text(oauthConsumerSecret)}
	if scheme == MACBrowserID {
		c.ID, c.Secret = text("id"), text("key")
		if text("algorithm") != "hmac-sha-1" {
			return c, 0, errors.New("an algorithm other than hmac-sha-1")
		}
	}
	switch {
	case c.ID == "" || c.Secret == "":
		return c, 0, errors.New("no token, or no secret")
	case strings.ContainsFunc(c.ID, func(r rune) bool { return r < ' ' || r > '~' }):
		return c, 0, errors.New("a token that no header can have")
	}
	const most = 365 * 24 * 60 * 60
	duration, _ := object.Get("duration")
	if seconds, err := strconv.Atoi(string(duration)); err == nil && seconds > 0 && seconds <= most {
		life = time.Duration(seconds) * time.Second
	}
	return c, life, nil
}
