package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/vepverify/vepverify/assertion"
	"github.com/vepverify/vepverify/devidp/idptest"
	"github.com/vepverify/vepverify/keys"
	"github.com/vepverify/vepverify/wellknown"
)

const (
	jwcryptoTokens     = 200 // for each algorithm
	jwcryptoAssertions = 8   // for each pair of algorithms
	jwcryptoDomain     = "idp.example"
	jwcryptoEmail      = "user@idp.example"
)

// jwcryptoMade is what jwcrypto makes.
type jwcryptoMade struct {
	Keys []struct {
		Alg, Public, Secret string
		Tokens              []string
	}
	Bundles []jwcryptoBundles
}

// jwcryptoBundles are the assertions of a pair of algorithms.
type jwcryptoBundles struct {
	Issuer, User, Key string
	Milliseconds      []string // with times as the protocol has them
	Seconds           string   // with times as jwcrypto writes them
}

// The questions to jwcrypto.
type (
	keyText struct {
		Public string `json:"public,omitempty"`
		Secret string `json:"secret,omitempty"`
	}
	tokenCase struct {
		Key   string `json:"key"`
		Token string `json:"token"`
	}
	bundleCase struct {
		Key  string `json:"key"`
		Text string `json:"text"`
		Now  int64  `json:"now"`
	}
	jwcryptoQuestion struct {
		Load    []keyText    `json:"load"`
		Tokens  []tokenCase  `json:"tokens"`
		Bundles []bundleCase `json:"bundles"`
	}
	result         struct{ Value, Error string }
	jwcryptoAnswer struct{ Loaded, Tokens, Bundles []result }
)

// runJwcrypto reads and verifies what jwcrypto makes, and has jwcrypto read and verify what
// ours make.
func runJwcrypto(ctx context.Context) (table, error) {
	var theirs jwcryptoMade
	if err := askNode(ctx, map[string]any{"make": map[string]any{
		"algorithms": algorithms, "tokens": jwcryptoTokens, "assertions": jwcryptoAssertions,
		"domain": jwcryptoDomain, "email": jwcryptoEmail, "audience": audience, "now": now.Unix(),
	}}, &theirs, "jwcrypto.js"); err != nil {
		return nil, err
	}
	t := newTable("what", "theirs by ours", "ours by theirs")
	for _, alg := range algorithms {
		byUs, err := theirs.keys(ctx, alg)
		if err != nil {
			return nil, err
		}
		byThem, err := ourKeys(ctx, alg)
		if err != nil {
			return nil, err
		}
		t.add(alg+": public keys read", byUs.public, byThem.public)
		t.add(alg+": private keys read, their signatures accepted", byUs.private, byThem.private)
		t.add(alg+": signed tokens accepted", byUs.valid, byThem.valid)
		t.add(alg+": spoiled tokens refused", byUs.spoiled, byThem.spoiled)
	}
	if err := theirs.addAssertions(ctx, &t); err != nil {
		return nil, err
	}
	return t, nil
}

// keyRatios are the results of one algorithm in one direction.
type keyRatios struct{ public, private, valid, spoiled ratio }

// keys reads their keys and verifies their tokens.
func (m jwcryptoMade) keys(ctx context.Context, alg string) (r keyRatios, err error) {
	var signed []tokenCase
	for _, k := range m.Keys {
		if k.Alg != alg {
			continue
		}
		public, err := keys.InsecureParsePublicKey([]byte(k.Public))
		r.public.count(err == nil && public.Algorithm() == alg)
		if err != nil {
			return r, fmt.Errorf("%s: %w", alg, err)
		}
		private, err := keys.InsecureParsePrivateKey([]byte(k.Secret))
		if err != nil {
			return r, fmt.Errorf("%s: %w", alg, err)
		}
		token := idptest.Token{Claims: idptest.Object{}, Key: private}
		signed = append(signed, tokenCase{k.Public, token.String()})
		for _, token := range k.Tokens {
			r.valid.count(verifyToken(public, token) == nil)
			r.spoiled.count(verifyToken(public, flipBit(token)) != nil)
		}
	}
	var answer jwcryptoAnswer
	err = askNode(ctx, jwcryptoQuestion{Tokens: signed}, &answer, "jwcrypto.js")
	for _, a := range answer.Tokens {
		r.private.count(a.Error == "")
	}
	return r, err
}

// verifyToken verifies the signature of a token.
func verifyToken(key keys.PublicKey, token string) error {
	header, claims, encoded := parts(token)
	signature, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil {
		return err
	}
	return key.Verify([]byte(header+"."+claims), signature)
}

// ourKeys has jwcrypto read two keys of ours in both forms, and verify tokens.
func ourKeys(ctx context.Context, alg string) (r keyRatios, err error) {
	var q jwcryptoQuestion
	var public []keys.PublicKey // of each question in q.Load
	for _, name := range []string{alg, alg + "-2"} {
		key := idptest.Key(name)
		forms, err := keyForms(key)
		if err != nil {
			return r, err
		}
		q.Load = append(q.Load, forms...)
		for range forms {
			public = append(public, key.Public())
		}
		for i := range jwcryptoTokens / 2 {
			token := idptest.Token{Claims: idptest.Object{"i": i}, Key: key}.String()
			q.Tokens = append(q.Tokens, tokenCase{forms[0].Public, token}, tokenCase{forms[0].Public, flipBit(token)})
		}
	}
	var answer jwcryptoAnswer
	if err := askNode(ctx, q, &answer, "jwcrypto.js"); err != nil {
		return r, err
	}
	for i, a := range answer.Loaded {
		if q.Load[i].Secret != "" {
			r.private.count(a.Error == "" && verifyToken(public[i], a.Value) == nil)
			continue
		}
		again, err := keys.InsecureParsePublicKey([]byte(a.Value))
		r.public.count(err == nil && again.Equal(public[i]))
	}
	for i, a := range answer.Tokens {
		if i%2 == 0 {
			r.valid.count(a.Error == "")
		} else {
			r.spoiled.count(a.Error != "")
		}
	}
	return r, nil
}

// keyForms returns the public and the private key, each in the legacy form and as a JWK.
func keyForms(k keys.PrivateKey) ([]keyText, error) {
	var texts []string
	for _, marshal := range []func() ([]byte, error){
		k.Public().MarshalJSON, k.Public().MarshalJWK, k.MarshalJSON, k.MarshalJWK,
	} {
		text, err := marshal()
		if err != nil {
			return nil, err
		}
		texts = append(texts, string(text))
	}
	return []keyText{{Public: texts[0]}, {Public: texts[1]}, {Secret: texts[2]}, {Secret: texts[3]}}, nil
}

// addAssertions verifies assertions of all pairs of algorithms in both directions.
func (m jwcryptoMade) addAssertions(ctx context.Context, t *table) error {
	var byUs, byUsSpoiled, byUsSeconds, byThem, byThemSpoiled ratio
	var ours jwcryptoQuestion
	var valid []bool // of each of ours.Bundles
	for _, b := range m.Bundles {
		for i, text := range b.Milliseconds {
			email, err := verifyByUs(ctx, b.Key, text)
			byUs.count(err == nil && email == jwcryptoEmail)
			_, err = verifyByUs(ctx, b.Key, spoil(text, i))
			byUsSpoiled.count(err != nil)
		}
		_, err := verifyByUs(ctx, b.Key, b.Seconds)
		byUsSeconds.count(err == nil)

		idp := idptest.New(jwcryptoDomain, idptest.Key(b.Issuer))
		key := string(idptest.Legacy(idp.Keys[0].Public()).JSON())
		for i := range jwcryptoAssertions {
			text := idp.At(now.Add(-time.Duration(i)*time.Second)).Backed(jwcryptoEmail, idptest.Key(b.User+"-2"), audience)
			ours.Bundles = append(ours.Bundles, bundleCase{key, text, now.Unix()}, bundleCase{key, spoil(text, i), now.Unix()})
			valid = append(valid, true, false)
		}
	}
	var answer jwcryptoAnswer
	if err := askNode(ctx, ours, &answer, "jwcrypto.js"); err != nil {
		return err
	}
	for i, a := range answer.Bundles {
		if valid[i] {
			byThem.count(a.Value == jwcryptoEmail)
		} else {
			byThemSpoiled.count(a.Error != "")
		}
	}
	t.add("assertions accepted, times in milliseconds", byUs, byThem)
	t.add("spoiled assertions refused", byUsSpoiled, byThemSpoiled)
	t.add("assertions accepted, times in seconds, as jwcrypto writes them", byUsSeconds, "–")
	return m.addMozillas(ctx, t)
}

// addMozillas has browserid-local-verify verify assertions of jwcrypto.
func (m jwcryptoMade) addMozillas(ctx context.Context, t *table) error {
	var accepted ratio
	for _, b := range m.Bundles {
		question := map[string]any{"verify": map[string]any{
			"documents": map[string]any{jwcryptoDomain: jwcryptoDocument(b.Key)},
			"cases":     []testCase{{b.Milliseconds[0], audience, now.Unix()}},
		}}
		var outcomes []outcome
		if err := askNode(ctx, question, &outcomes, "browserid.js"); err != nil {
			return err
		}
		for _, o := range outcomes {
			accepted.count(o.Error == "")
		}
	}
	t.add("assertions accepted by browserid-local-verify, times in milliseconds", accepted, "–")
	return nil
}

// jwcryptoDocument returns the document of an issuer with a key.
func jwcryptoDocument(key string) idptest.Object {
	return idptest.Object{"public-key": json.RawMessage(key), "authentication": "/", "provisioning": "/"}
}

// spoil changes one bit of the signature of the certificate or of the assertion.
func spoil(text string, i int) string {
	certificate, token, _ := strings.Cut(text, "~")
	if i%2 == 0 {
		return flipBit(certificate) + "~" + token
	}
	return certificate + "~" + flipBit(token)
}

// verifyByUs returns the email of an assertion whose issuer has a key.
func verifyByUs(ctx context.Context, key, text string) (string, error) {
	known, err := wellknown.NewStatic(map[string]json.RawMessage{jwcryptoDomain: jwcryptoDocument(key).JSON()})
	if err != nil {
		return "", err
	}
	v, err := assertion.NewVerifier(assertion.Config{
		Keys: known, InsecureWeakKeys: true, Now: func() time.Time { return now },
	})
	if err != nil {
		return "", err
	}
	res, err := v.Verify(ctx, text, audience)
	if err != nil {
		return "", err
	}
	return res.Email, nil
}
