package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/devidp/idptest"
	"github.com/vepverify/vepverify/wellknown"
)

const (
	// perPair is the number of assertions for each pair of algorithms and direction.
	perPair = 200
	// spoiled is the number of them that are verified again with each fault.
	spoiled  = 2
	audience = "https://rp.example"
)

var (
	// algorithms are those of the keys of both.
	algorithms = []string{"RS64", "RS128", "RS256", "DS128", "DS256"}
	// now is the time at which assertions are made.
	now = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
)

// testCase is an assertion and what a verifier needs to know.
type testCase struct {
	Text     string `json:"text"`
	Audience string `json:"audience"`
	Now      int64  `json:"now"`
}

// outcome is the answer of a verifier.
type outcome struct{ Email, Error string }

// batch is the assertions of a pair of algorithms. The first perPair cases are valid, the
// others have a fault each.
type batch struct {
	issuer, user string
	document     json.RawMessage
	cases        []testCase
}

func (b batch) domain() string { return strings.ToLower(b.issuer) + ".example" }

func (b batch) email() string { return "user@" + b.domain() }

// newBatch returns a batch of valid assertions and of the first of them with faults.
func newBatch(issuer, user string, document json.RawMessage, texts []string) (batch, error) {
	b := batch{issuer: issuer, user: user, document: document}
	if len(texts) != perPair {
		return b, fmt.Errorf("%s, %s: %d assertions", issuer, user, len(texts))
	}
	for _, text := range texts {
		b.cases = append(b.cases, testCase{text, audience, now.Unix()})
	}
	for i, text := range texts[:spoiled] {
		wrong, err := faults(b.domain(), text, texts[len(texts)-1-i])
		if err != nil {
			return b, err
		}
		b.cases = append(b.cases, wrong...)
	}
	return b, nil
}

// score counts the valid assertions that were accepted, and the others that were refused.
func (b batch) score(outcomes []outcome) (accepted, refused ratio) {
	for i, o := range outcomes {
		if i < perPair {
			accepted.count(o == outcome{Email: b.email()})
		} else {
			refused.count(o.Error != "")
		}
	}
	return accepted, refused
}

// runBrowserID verifies what Mozilla's makers of assertions make, and has Mozilla's verifier
// verify what ours make.
func runBrowserID(ctx context.Context) (table, error) {
	theirs, err := theirBatches(ctx)
	if err != nil {
		return nil, err
	}
	ours, err := ourBatches()
	if err != nil {
		return nil, err
	}
	byThem, err := verifyByThem(ctx, ours)
	if err != nil {
		return nil, err
	}
	t := newTable("issuer", "user", "theirs, accepted by ours", "spoiled, refused", "ours, accepted by theirs", "spoiled, refused")
	for i, b := range theirs {
		byUs, err := b.verify(ctx)
		if err != nil {
			return nil, err
		}
		accepted1, refused1 := b.score(byUs)
		accepted2, refused2 := ours[i].score(byThem[i])
		t.add(b.issuer, b.user, accepted1, refused1, accepted2, refused2)
	}
	return t, nil
}

// theirBatches has their makers make assertions, in a process for each issuer.
func theirBatches(ctx context.Context) ([]batch, error) {
	made := make([][]batch, len(algorithms))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(2)
	for i, issuer := range algorithms {
		group.Go(func() (err error) {
			made[i], err = theirBatchesOf(ctx, issuer)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return slices.Concat(made...), nil
}

func theirBatchesOf(ctx context.Context, issuer string) ([]batch, error) {
	question := map[string]any{"make": map[string]any{
		"issuer": issuer, "users": algorithms, "count": perPair, "now": now.Unix(), "audience": audience,
	}}
	var made struct {
		Document   json.RawMessage
		Assertions map[string][]string
	}
	if err := askNode(ctx, question, &made, "browserid.js"); err != nil {
		return nil, err
	}
	var all []batch
	for _, user := range algorithms {
		b, err := newBatch(issuer, user, made.Document, made.Assertions[user])
		if err != nil {
			return nil, err
		}
		all = append(all, b)
	}
	return all, nil
}

// ourBatches makes assertions with idptest, each with a certificate of its own.
func ourBatches() ([]batch, error) {
	var all []batch
	for _, issuer := range algorithms {
		for _, user := range algorithms {
			b := batch{issuer: issuer}
			idp := idptest.New(b.domain(), idptest.Key(issuer))
			var texts []string
			for i := range perPair {
				earlier := idp.At(now.Add(-time.Duration(i) * time.Second / 8))
				texts = append(texts, earlier.Backed(b.email(), idptest.Key(user+"-2"), audience))
			}
			b, err := newBatch(issuer, user, idp.Document().JSON(), texts)
			if err != nil {
				return nil, err
			}
			all = append(all, b)
		}
	}
	return all, nil
}

// verify verifies a batch with package assertion. RS64 needs InsecureWeakKeys.
func (b batch) verify(ctx context.Context) ([]outcome, error) {
	known, err := wellknown.NewStatic(map[string]json.RawMessage{b.domain(): b.document})
	if err != nil {
		return nil, err
	}
	outcomes := make([]outcome, len(b.cases))
	for i, c := range b.cases {
		v, err := assertion.NewVerifier(assertion.Config{
			Keys: known, InsecureWeakKeys: true, Now: func() time.Time { return time.Unix(c.Now, 0) },
		})
		if err != nil {
			return nil, err
		}
		if res, err := v.Verify(ctx, c.Text, c.Audience); err != nil {
			outcomes[i].Error = err.Error()
		} else {
			outcomes[i].Email = res.Email
		}
	}
	return outcomes, nil
}

// verifyByThem verifies batches with their verifier, in a process for each.
func verifyByThem(ctx context.Context, batches []batch) ([][]outcome, error) {
	all := make([][]outcome, len(batches))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(2)
	for i, b := range batches {
		group.Go(func() error {
			question := map[string]any{"verify": map[string]any{
				"documents": map[string]json.RawMessage{b.domain(): b.document}, "cases": b.cases,
			}}
			if err := askNode(ctx, question, &all[i], "browserid.js"); err != nil {
				return err
			}
			if len(all[i]) != len(b.cases) {
				return fmt.Errorf("%d answers to %d cases", len(all[i]), len(b.cases))
			}
			return nil
		})
	}
	return all, group.Wait()
}
