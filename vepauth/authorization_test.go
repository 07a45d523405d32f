package vepauth_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vepverify/vepverify/vepauth"
)

func TestAuthParams(t *testing.T) {
	for _, test := range []struct {
		header string
		want   []string
	}{
		{"", nil},
		{" , ,\t", nil},
		{`a="b"`, []string{"a", "b"}},
		{`a=b`, []string{"a", "b"}},
		{`a="b", c=d ,e = "f",`, []string{"a", "b", "c", "d", "e", "f"}},
		{`a="b",c="d"`, []string{"a", "b", "c", "d"}},
		{`a=""`, []string{"a", ""}},
		{`a="b, c=\"d\"", e="\\"`, []string{"a", `b, c="d"`, "e", `\`}},
		{`a="\b\,"`, []string{"a", "b,"}},
		{"a=\"\t é\"", []string{"a", "\t é"}},
		{`a%41="%"`, []string{"a%41", "%"}},
		{"!#$%&'*+-.^_`|~1=!#$%&'*+-.^_`|~1", []string{"!#$%&'*+-.^_`|~1", "!#$%&'*+-.^_`|~1"}},
	} {
		if got, err := vepauth.AuthParams(test.header); err != nil || cmp.Diff(test.want, got) != "" {
			t.Errorf("%s: %q, %v", test.header, got, err)
		}
	}
}

func TestBadAuthParams(t *testing.T) {
	many := strings.TrimSuffix(strings.Repeat("x=y,", 33), ",")
	for i := range 33 {
		many = strings.Replace(many, "x=", string(rune('A'+i))+"_=", 1)
	}
	for _, header := range []string{
		"a", "a=", "a=,", "=b", `="b"`, `a="`, `a="b`, `a="\`, `a="\"`, `a="b"c`, `a="b" c="d"`, `a=b c=d`, `a=b"c"`, "a b=c", `"a"="b"`,
		"a=b,a=c", "a=b,A=c", "a=\"\x00\"", "a=\"\n\"", "a=\"\x7f\"", "a=\"\\\n\"", "é=a", "a=é", "a==", "a=b/c", "(a)=b", "a=b;c=d",
		many, `a="` + strings.Repeat("x", 16<<10) + `"`,
	} {
		if got, err := vepauth.AuthParams(header); err == nil {
			t.Errorf("%.100q: %q", header, got)
		}
	}
}
