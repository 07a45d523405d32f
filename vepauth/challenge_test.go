package vepauth_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vepverify/vepverify/vepauth"
)

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
		if got := vepauth.Challenges(test.header); cmp.Diff(test.want, got) != "" {
			t.Errorf("%.100q: %q", test.header, got)
		}
	}
	if got := vepauth.Challenges(many); len(got) != 1 || len(got[0]) != 1+2*32+1 || got[0][65] != "!" {
		t.Errorf("too many parameters: %q", got)
	}
}

// What is taken for challenges can be written again, and reads the same.
func FuzzChallenges(f *testing.F) {
	for _, header := range []string{
		"", `OAuth+VEP url="/request_token"`, `Basic realm="a, \"b\"",MAC+BrowserID url=c , A`, "Negotiate abc==, A x = y", "A x=y,", "A, =b",
	} {
		f.Add(header)
	}
	f.Fuzz(func(t *testing.T, header string) {
		read := vepauth.Challenges(header)
		var written []string
		for _, c := range read {
			if c[len(c)-1] == "!" && len(c)%2 == 0 {
				return
			}
			var params []string
			for i := 1; i < len(c); i += 2 {
				params = append(params, c[i]+"="+vepauth.Quote(c[i+1]))
			}
			written = append(written, strings.TrimSpace(c[0]+" "+strings.Join(params, ", ")))
		}
		text := strings.Join(written, ", ")
		if again := vepauth.Challenges(text); len(text) <= 16<<10 && cmp.Diff(read, again) != "" {
			t.Errorf("%q read again as %q", read, again)
		}
	})
}
