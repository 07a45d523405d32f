package main

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"
)

// faults returns an assertion of a user of a domain, with one fault each. Another assertion of
// the same user lends a signature.
func faults(domain, text, other string) ([]testCase, error) {
	certificate, token, _ := strings.Cut(text, "~")
	_, otherToken, _ := strings.Cut(other, "~")
	forgedEmail, err := replaceClaim(certificate, "sub", "admin@"+domain, "principal")
	if err != nil {
		return nil, err
	}
	forgedAudience, err := replaceClaim(token, "aud", "https://other.example")
	if err != nil {
		return nil, err
	}
	valid := testCase{text, audience, now.Unix()}
	elsewhere, expired, early := valid, valid, valid
	elsewhere.Audience = "https://other.example"
	expired.Now = now.Add(time.Hour).Unix()
	early.Now = now.Add(-time.Hour).Unix()
	return []testCase{
		elsewhere, expired, early,
		{flipBit(certificate) + "~" + token, audience, valid.Now},
		{certificate + "~" + flipBit(token), audience, valid.Now},
		{certificate + "~" + borrowSignature(token, otherToken), audience, valid.Now},
		{forgedEmail + "~" + token, audience, valid.Now},
		{certificate + "~" + forgedAudience, "https://other.example", valid.Now},
		{token, audience, valid.Now}, // no certificate
	}, nil
}

// parts returns the header, claims and signature of a token, still encoded.
func parts(token string) (header, claims, signature string) {
	p := strings.SplitN(token, ".", 3)
	return p[0], p[1], p[2]
}

// flipBit returns a token with one bit of its signature changed.
func flipBit(token string) string {
	header, claims, encoded := parts(token)
	signature, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil {
		return header + "." + claims + "." // no signature at all
	}
	signature[len(signature)/2] ^= 4
	return header + "." + claims + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// borrowSignature returns a token with the signature of another.
func borrowSignature(token, other string) string {
	header, claims, _ := parts(token)
	_, _, signature := parts(other)
	return header + "." + claims + "." + signature
}

// replaceClaim returns a token with a claim set, and others removed. It is not signed again.
func replaceClaim(token, name string, value any, removed ...string) (string, error) {
	header, encoded, signature := parts(token)
	text, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil {
		return "", err
	}
	var claims map[string]any
	if err := json.Unmarshal(text, &claims); err != nil {
		return "", err
	}
	for _, r := range removed {
		delete(claims, r)
	}
	claims[name] = value
	text, err = json.Marshal(claims)
	if err != nil {
		return "", err
	}
	return header + "." + base64.RawURLEncoding.EncodeToString(text) + "." + signature, nil
}
