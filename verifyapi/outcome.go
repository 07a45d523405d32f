package verifyapi

import (
	"context"
	"errors"

	"github.com/vepverify/vepverify/assertion"
)

// outcome is what came of a request for a verification, for logs and metrics: a
// few words, none of which a client can choose.
type outcome struct{ result, reason string }

// The outcomes of requests that are verified.
var okay = outcome{"okay", "none"}

var byKind = map[error]outcome{
	assertion.ErrMalformed:   {"failure", "malformed"},
	assertion.ErrChain:       {"failure", "chain"},
	assertion.ErrAlgorithm:   {"failure", "algorithm"},
	assertion.ErrKey:         {"failure", "key"},
	assertion.ErrWeakKey:     {"failure", "weak_key"},
	assertion.ErrSignature:   {"failure", "signature"},
	assertion.ErrAudience:    {"failure", "audience"},
	assertion.ErrExpired:     {"failure", "expired"},
	assertion.ErrNotYetValid: {"failure", "not_yet_valid"},
	assertion.ErrIssuer:      {"failure", "issuer"},
	assertion.ErrLifetime:    {"failure", "lifetime"},
	assertion.ErrReplayed:    {"failure", "replayed"},
	assertion.ErrUndecided:   {"undecided", "unavailable"},
}

// Those of requests that are not.
var (
	refusedType      = outcome{"refused", "content_type"}
	refusedSize      = outcome{"refused", "size"}
	refusedBody      = outcome{"refused", "body"}
	refusedSlow      = outcome{"refused", "slow"}
	refusedParameter = outcome{"refused", "parameter"}

	shedQueue   = outcome{"shed", "queue_full"}
	shedSlow    = outcome{"shed", "queue_slow"}
	shedLookups = outcome{"shed", "lookups_full"}
	shedOneHost = outcome{"shed", "lookups_of_domain"}

	clientGone = outcome{"cancelled", "client_gone"}

	faultPanic    = outcome{"fault", "panic"}
	faultInternal = outcome{"fault", "internal"}
	faultTest     = outcome{"fault", "test"}
)

// outcomes are all there are.
func outcomes() []outcome {
	all := []outcome{
		okay, refusedType, refusedSize, refusedBody, refusedSlow, refusedParameter,
		shedQueue, shedSlow, shedLookups, shedOneHost, clientGone, faultPanic, faultInternal, faultTest,
	}
	for _, o := range byKind {
		all = append(all, o)
	}
	return all
}

// outcomeOf classes what Verify or the gate gave.
func outcomeOf(ctx context.Context, err error) outcome {
	var e *assertion.Error
	switch {
	case errors.Is(err, errQueueFull):
		return shedQueue
	case errors.Is(err, errQueueSlow):
		return shedSlow
	case errors.Is(err, errLookupsFull):
		return shedLookups
	case errors.Is(err, errLookupsOf):
		return shedOneHost
	case errors.Is(err, errTest):
		return faultTest
	case ctx.Err() != nil && errors.Is(err, ctx.Err()):
		return clientGone
	case errors.As(err, &e):
		if o, known := byKind[e.Kind]; known {
			return o
		}
	}
	return faultInternal
}
