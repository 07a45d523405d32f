package vepauth_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vepverify/vepverify/vepauth"
)

func TestPattern(t *testing.T) {
	const two = "/{application}/{version}/token"
	for _, test := range []struct {
		pattern, path string
		ok            bool
		values        map[string]string
	}{
		{"/request_token", "/request_token", true, nil},
		{"/request_token", "/request%5Ftoken", true, nil},
		{"/request%5Ftoken", "/request_token", true, nil},
		{"/request_token", "/request_token/", false, nil},
		{"/request_token", "/request_tokens", false, nil},
		{"/request_token", "/a/request_token", false, nil},
		{"/request_token", "//request_token", false, nil},
		{"/request_token", "request_token", false, nil},
		{"/request_token", "", false, nil},
		{"/request_token", "*", false, nil},
		{"/token/", "/token/", true, nil},
		{"/token/", "/token", false, nil},
		{"/token/", "/token//", false, nil},
		{"/", "/", true, nil},
		{"/", "/a", false, nil},
		{two, "/sync/1.5/token", true, map[string]string{"application": "sync", "version": "1.5"}},
		{two, "/s%79nc/1%2E5/tok%65n", true, map[string]string{"application": "sync", "version": "1.5"}},
		{two, "/{/}/token", true, map[string]string{"application": "{", "version": "}"}},
		{two, "/a/b/c/token", false, nil},
		{two, "/a/b%2Fc/token", false, nil},
		{two, "/a%2fb/c/token", false, nil},
		{two, "/a/token", false, nil},
		{two, "//1/token", false, nil},
		{two, "/a//token", false, nil},
		{two, "/../1/token", false, nil},
		{two, "/./1/token", false, nil},
		{two, "/%2e%2E/1/token", false, nil},
		{two, "/a/1/token/b", false, nil},
		{two, "/a/1/token/", false, nil},
		{two, "/%/1/token", false, nil},
		{two, "/%4/1/token", false, nil},
		{"/{a}", "/%C3%A9", true, map[string]string{"a": "é"}},
		{"/{a}", "/", false, nil},
		{"/v1/{a}/{b_2}", "/v1/x/y", true, map[string]string{"a": "x", "b_2": "y"}},
		{"/v1/{a}/{b_2}", "/v2/x/y", false, nil},
	} {
		values, ok, err := vepauth.MatchPattern(test.pattern, test.path)
		if err != nil || ok != test.ok || ok && cmp.Diff(test.values, values) != "" {
			t.Errorf("%s and %s: %v, %v, %v", test.pattern, test.path, values, ok, err)
		}
	}
}

func TestBadPatterns(t *testing.T) {
	for _, pattern := range []string{
		"", "token", "{a}/token", "//token", "/a//b", "/{a}//b", "/{a", "/a}", "/{}", "/{a}b", "/a{b}", "/{a}{b}", "/{a b}", "/{1a}", "/{a-b}",
		"/{a}/{a}", "/./a", "/../a", "/a/%2e%2e", "/a%2Fb", "/%", "/%zz", "/a?b", "/a#b", "/a b", "/a\nb", "/é", `/a"b`, `/a\b`, "https://rp.example/token",
	} {
		if _, _, err := vepauth.MatchPattern(pattern, "/"); err == nil {
			t.Errorf("%s is accepted", pattern)
		}
	}
}

func TestFillPattern(t *testing.T) {
	for _, test := range []struct {
		pattern string
		values  map[string]string
		want    string
		ok      bool
	}{
		{"/request_token", nil, "/request_token", true},
		{"/token/", nil, "/token/", true},
		{"/{a}/{b}", map[string]string{"a": "x y", "b": `"é`}, "/x%20y/%22%C3%A9", true},
		{"/{a}/{b}", map[string]string{"a": "x"}, "", false},
	} {
		if got, ok := vepauth.FillPattern(test.pattern, test.values); got != test.want || ok != test.ok {
			t.Errorf("%s, %v: %s, %v", test.pattern, test.values, got, ok)
		}
	}
}
