package main

import (
	"errors"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/vepverify/vepverify/wellknown"
)

// finding is what lookup has found out about a domain; the JSON form is for
// scripts. Times are milliseconds since 1970, absent with --keys.
type finding struct {
	Domain         string    `json:"domain"`
	Status         string    `json:"status"`
	Reason         string    `json:"reason,omitempty"`
	Authority      string    `json:"authority,omitempty"`
	Delegations    []string  `json:"delegations,omitempty"`
	Keys           []keyInfo `json:"keys,omitempty"`
	Authentication string    `json:"authentication,omitempty"`
	Provisioning   string    `json:"provisioning,omitempty"`
	Fetched        int64     `json:"fetched,omitempty"`
	Expires        int64     `json:"expires,omitempty"`
}

// The values of finding.Status.
const (
	supported   = "supported"
	unsupported = "unsupported" // a fallback may speak for the domain
	refused     = "refused"     // nobody may
	unknown     = "unknown"     // not knowable now
)

func (f *finding) status() status {
	switch f.Status {
	case supported:
		return exitOkay
	case unknown:
		return exitUndecided
	}
	return exitFailure
}

// find looks a domain up.
func find(c *cli.Context, from source, name string) *finding {
	a, err := from.Authority(c.Context, name, name)
	f := &finding{Domain: name, Status: supported}
	if err != nil {
		f.fail(err)
		return f
	}
	f.fill(a)
	return f
}

func (f *finding) fail(err error) {
	f.Reason = err.Error()
	var lookup *wellknown.LookupError
	if errors.As(err, &lookup) {
		f.Reason = lookup.Reason
		if lookup.At != lookup.Host {
			f.Reason = "by way of " + lookup.At + ": " + f.Reason
		}
	}
	var incomplete *wellknown.IncompleteError
	if errors.As(err, &incomplete) {
		f.Reason += " (which only a --fallback may lack)"
	}
	switch {
	case errors.Is(err, wellknown.ErrUnsupported):
		f.Status = unsupported
	case errors.Is(err, wellknown.ErrUnavailable):
		f.Status = unknown
	default:
		f.Status = refused
	}
}

func (f *finding) fill(a *wellknown.Authority) {
	f.Authority, f.Delegations = a.Domain, a.Delegations
	for _, k := range a.Keys {
		f.Keys = append(f.Keys, describeKey(k))
	}
	for _, k := range a.WeakKeys {
		f.Keys = append(f.Keys, describeKey(k))
	}
	f.Authentication = "https://" + a.Domain + a.Authentication
	f.Provisioning = "https://" + a.Domain + a.Provisioning
	f.Fetched, f.Expires = millis(a.Fetched), millis(a.Expires)
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}
