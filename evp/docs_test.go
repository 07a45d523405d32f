package evp_test

import (
	"context"
	"errors"
	"testing"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/evp"
	"github.com/vepverify/vepverify/internal/doctest"
)

// The functions with the prefix docs contain the snippets of README.md and of docs/EVP.md.

func docsAssertion(ctx context.Context, posted string, signIn func(email string), tryAgainLater func(), refuse func(*assertion.FailureAnswer)) {
	res, err := assertion.Verify(ctx, posted, "https://rp.example")
	switch {
	case err == nil:
		signIn(res.Email)
	case errors.Is(err, assertion.ErrUndecided): // undecided: an issuer cannot be reached
		tryAgainLater()
	default: // ErrExpired, ErrAudience, ErrSignature, ErrIssuer, …
		refuse(assertion.Failure(err)) // {"status":"failure","reason":"…"}
	}
}

func docsToken(ctx context.Context, token, nonce, submitted string, signIn func(email string)) error {
	v, err := evp.NewVerifier(evp.Config{Origins: []string{"https://rp.example"}})
	if err != nil {
		return err
	}
	res, err := v.Verify(ctx, token, evp.Expected{Nonce: nonce, Email: submitted})
	if err == nil {
		signIn(res.Email)
	}
	return err
}

// TestDocs runs the snippets with texts that are malformed, and compares them with the documents.
func TestDocs(t *testing.T) {
	signIn := func(email string) { t.Errorf("signed in as %s", email) }
	var reason string
	docsAssertion(t.Context(), "", signIn, func() { t.Error("undecided") },
		func(answer *assertion.FailureAnswer) { reason = answer.Reason })
	if reason != "no certificates provided" {
		t.Errorf("reason %q", reason)
	}
	if err := docsToken(t.Context(), "", "nonce", "alice@mail.example", signIn); !errors.Is(err, assertion.ErrMalformed) {
		t.Error(err)
	}
	doctest.Snippets(t, "../README.md", "docs_test.go", 2)
	doctest.Snippets(t, "../docs/EVP.md", "docs_test.go", 1)
}
