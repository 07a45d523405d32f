package vepauth

import (
	"slices"
	"strings"
)

// challenge is one of those that an answer's WWW-Authenticate has.
type challenge struct {
	scheme    string
	params    []parameter
	malformed bool // read up to a fault
}

func (c challenge) param(name string) string {
	for _, p := range c.params {
		if strings.EqualFold(p.name, name) {
			return p.value
		}
	}
	return ""
}

// ownChallenge finds the challenge that this package answers, and its scheme.
// Of several it prefers those that can be read, and OAuthVEP, which signs more.
func ownChallenge(headers []string) (c challenge, scheme Scheme, found bool) {
	var all []challenge
	size := 0
	for _, header := range headers {
		if size += len(header); size > maxAuthorization || len(all) >= maxChallenges {
			break
		}
		all = append(all, parseChallenges(header)...)
	}
	for _, malformed := range []bool{false, true} {
		for _, scheme := range []Scheme{OAuthVEP, MACBrowserID} {
			i := slices.IndexFunc(all, func(c challenge) bool {
				return c.malformed == malformed && strings.EqualFold(c.scheme, string(scheme))
			})
			if i >= 0 {
				return all[i], scheme, true
			}
		}
	}
	return challenge{}, "", false
}

// parseChallenges takes a header WWW-Authenticate apart (RFC 9110, section
// 11.6.1): challenges with commas between, of a scheme with nothing behind it,
// or a token68, which is left out here, or parameters with commas between. What
// makes no sense ends it, and marks the challenge in which it stands.
func parseChallenges(s string) (all []challenge) {
	if len(s) > maxAuthorization {
		return nil
	}
	for {
		s = strings.TrimLeft(s, " \t,")
		if s == "" || len(all) == maxChallenges {
			return all
		}
		var ok bool
		if p, rest, isParam := cutParameter(s); isParam && len(all) > 0 {
			s, ok = rest, all[len(all)-1].add(p)
		} else {
			var c challenge
			c, s, ok = cutChallenge(s)
			all = append(all, c)
		}
		if !ok || !endsElement(s) {
			all[len(all)-1].malformed = true
			return all
		}
	}
}

// add takes a parameter up, unless there is one of that name or too many.
func (c *challenge) add(p parameter) bool {
	if len(p.name) > maxName || len(c.params) == maxParameters || hasName(c.params, p.name) {
		return false
	}
	c.params = append(c.params, p)
	return true
}

// cutChallenge reads a scheme off the front of s, and what belongs to it up to
// the next comma.
func cutChallenge(s string) (c challenge, rest string, ok bool) {
	c.scheme, rest = cutToken(s)
	if c.scheme == "" || endsElement(rest) {
		return c, rest, c.scheme != ""
	}
	s = strings.TrimLeft(rest, " \t")
	if len(s) == len(rest) {
		return c, rest, false
	}
	if p, rest, isParam := cutParameter(s); isParam {
		return c, rest, c.add(p)
	}
	rest, ok = cutToken68(s)
	return c, rest, ok
}

// cutToken68 takes a token68 (RFC 9110, section 11.2) off the front of s.
func cutToken68(s string) (rest string, ok bool) {
	rest = strings.TrimLeft(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/")
	return strings.TrimLeft(rest, "="), len(rest) < len(s)
}

// endsElement says whether s begins with a comma, or is at its end.
func endsElement(s string) bool {
	s = strings.TrimLeft(s, " \t")
	return s == "" || s[0] == ','
}
