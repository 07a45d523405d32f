package vepauth

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/vepverify/vepverify/internal/strictjson"
)

// payload is what a signed token says. The names are short, because they come
// with each request.
type payload struct {
	Email       string
	Issuer      string
	Origin      string
	Application string
	Version     string
	Expires     int64  // milliseconds
	Salt        []byte // ASCII
}

// encode gives the payload as a JSON object. Strings and numbers always have one.
func (p *payload) encode() []byte {
	data, _ := json.Marshal(struct {
		Email       string `json:"email"`
		Issuer      string `json:"iss"`
		Origin      string `json:"aud"`
		Application string `json:"app,omitempty"`
		Version     string `json:"ver,omitempty"`
		Expires     int64  `json:"exp"`
		Salt        string `json:"n"`
	}{p.Email, p.Issuer, p.Origin, p.Application, p.Version, p.Expires, string(p.Salt)})
	return data
}

// decodePayload reads what encode wrote: it has been authenticated already, so
// that an error means a key in common with something else.
func decodePayload(data []byte) (p payload, err error) {
	object, err := strictjson.ParseObject(data)
	if err != nil {
		return p, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	for _, m := range object {
		ok := true
		switch m.Name {
		case "email":
			p.Email, ok = strictjson.String(m.Value)
		case "iss":
			p.Issuer, ok = strictjson.String(m.Value)
		case "aud":
			p.Origin, ok = strictjson.String(m.Value)
		case "app":
			p.Application, ok = strictjson.String(m.Value)
		case "ver":
			p.Version, ok = strictjson.String(m.Value)
		case "exp":
			p.Expires, err = strconv.ParseInt(string(m.Value), 10, 64)
			ok = err == nil
		case "n":
			p.Salt, ok = strictjson.Text(m.Value)
		}
		if !ok {
			return p, fmt.Errorf("%w: a member of another type", ErrRefused)
		}
	}
	return p, nil
}
