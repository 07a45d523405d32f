package signature_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vepverify/vepverify/vepauth/internal/signature"
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
		if got, err := signature.Parameters(test.header); err != nil || cmp.Diff(test.want, got) != "" {
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
		if got, err := signature.Parameters(header); err == nil {
			t.Errorf("%.100q: %q", header, got)
		}
	}
}

func TestChallenges(t *testing.T) {
	many := "A "
	for i := range 33 {
		many += "n" + strings.Repeat("x", i) + "=v,"
	}
	for _, test := range []struct {
		header string
		want   [][]string
	}{
		{"", nil},
		{" ,\t, ", nil},
		{`OAuth+VEP url="/request_token"`, [][]string{{"OAuth+VEP", "url", "/request_token"}}},
		{"OAuth+VEP", [][]string{{"OAuth+VEP"}}},
		{"A,B ,C", [][]string{{"A"}, {"B"}, {"C"}}},
		{`A x = 1 ,y="2, \"3\"",,z=4`, [][]string{{"A", "x", "1", "y", `2, "3"`, "z", "4"}}},
		{`Basic realm="a, B url=\"c\"", OAuth+VEP url="/t", d=e, MAC+BrowserID url=f`,
			[][]string{{"Basic", "realm", `a, B url="c"`}, {"OAuth+VEP", "url", "/t", "d", "e"}, {"MAC+BrowserID", "url", "f"}}},
		{"Negotiate abc/+==, A x=y", [][]string{{"Negotiate"}, {"A", "x", "y"}}},
		{"Negotiate abc, A", [][]string{{"Negotiate"}, {"A"}}},
		{"A x=", [][]string{{"A"}}}, // a token68

		{`url="/t"`, [][]string{{"url", "!"}}},
		{`"A"`, [][]string{{"", "!"}}},
		{"A url=/t", [][]string{{"A", "!"}}},
		{`A x="y`, [][]string{{"A", "!"}}},
		{`A x="y" z="w"`, [][]string{{"A", "x", "y", "!"}}},
		{"A x=y, x=z", [][]string{{"A", "x", "y", "!"}}},
		{"A x=y, X=z", [][]string{{"A", "x", "y", "!"}}},
		{"A x=\"\x00\"", [][]string{{"A", "!"}}},
		{"A=b", [][]string{{"A", "!"}}},
		{"A/b", [][]string{{"A", "!"}}},
		{"A b c", [][]string{{"A", "!"}}},
		{"A é", [][]string{{"A", "!"}}},
		{"A, B @, C", [][]string{{"A"}, {"B", "!"}}},
		{strings.Repeat("A,", 9000), nil},
	} {
		if got := challenges(test.header); cmp.Diff(test.want, got) != "" {
			t.Errorf("%.100q: %q", test.header, got)
		}
	}
	if got := challenges(many); len(got) != 1 || len(got[0]) != 1+2*32+1 || got[0][65] != "!" {
		t.Errorf("too many parameters: %q", got)
	}
}

// FuzzChallenges checks that parsed challenges can be written again, and parse to the same.
func FuzzChallenges(f *testing.F) {
	for _, header := range []string{
		"", `OAuth+VEP url="/request_token"`, `Basic realm="a, \"b\"",MAC+BrowserID url=c , A`, "Negotiate abc==, A x = y", "A x=y,", "A, =b",
	} {
		f.Add(header)
	}
	f.Fuzz(func(t *testing.T, header string) {
		read := challenges(header)
		var written []string
		for _, c := range read {
			if c[len(c)-1] == "!" && len(c)%2 == 0 {
				return
			}
			var params []string
			for i := 1; i < len(c); i += 2 {
				params = append(params, c[i]+"="+signature.Quote(c[i+1]))
			}
			written = append(written, strings.TrimSpace(c[0]+" "+strings.Join(params, ", ")))
		}
		text := strings.Join(written, ", ")
		if again := challenges(text); len(text) <= 16<<10 && cmp.Diff(read, again) != "" {
			t.Errorf("%q read again as %q", read, again)
		}
	})
}

// challenges returns the challenges of a header as scheme, then name and value in turn,
// and "!" at the end of a malformed one.
func challenges(header string) (all [][]string) {
	for _, c := range signature.ParseChallenges(header) {
		all = append(all, signature.Flatten(c))
	}
	return all
}

// FuzzParameters checks that parsed parameters can be written again, and parse to the same.
func FuzzParameters(f *testing.F) {
	for _, params := range []string{
		"", `realm="x", oauth_consumer_key="k", oauth_signature_method="HMAC-SHA1", oauth_timestamp="1700000000", oauth_nonce="n", oauth_signature="s%3D"`,
		`id="i", ts="1700000000", nonce="n", ext="\"", mac="m="`, `a=b,,c="\\"`, "%=%", "a~b", "YTpi", "a=\"é\"",
	} {
		f.Add(params)
	}
	f.Fuzz(func(t *testing.T, params string) {
		read, err := signature.Parameters(params)
		if err != nil {
			return
		}
		var written []string
		for i := 0; i < len(read); i += 2 {
			written = append(written, read[i]+"="+signature.Quote(read[i+1]))
		}
		again, err := signature.Parameters(strings.Join(written, ", "))
		if err != nil && len(strings.Join(written, ", ")) <= len(params) || err == nil && strings.Join(again, "\n") != strings.Join(read, "\n") {
			t.Errorf("%q parsed again as %q, %v", read, again, err)
		}
	})
}
