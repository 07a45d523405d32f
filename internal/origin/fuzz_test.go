package origin_test

import (
	"strings"
	"testing"

	"github.com/vepverify/vepverify/internal/origin"
)

// FuzzCompare checks Compare against the oracle. It checks that an audience that
// matches also matches itself, has a scheme, and has none of the characters that no
// origin contains. It checks that no longer text matches.
func FuzzCompare(f *testing.F) {
	for _, table := range audiences {
		for _, c := range table {
			f.Add(c.signed, c.accepted)
		}
	}
	f.Fuzz(func(t *testing.T, signed, accepted string) {
		got := origin.Compare(signed, accepted)
		if want := oracleCompare(signed, accepted); got != want {
			t.Fatalf("%q for %q: %q, the oracle says %q", signed, accepted, got, want)
		}
		if (got.String() == "") != (got == match) {
			t.Fatalf("mismatch %d is %q", got, got)
		}
		if got != match {
			return
		}
		if origin.Compare(signed, signed) != match {
			t.Fatalf("%q matches %q and not itself", signed, accepted)
		}
		lower := strings.ToLower(signed)
		if !strings.HasPrefix(lower, "http://") && !strings.HasPrefix(lower, "https://") && !strings.HasPrefix(lower, "app://") {
			t.Fatalf("%q has no scheme and matches %q", signed, accepted)
		}
		if strings.ContainsAny(signed, "*@\\% \n?#") {
			t.Fatalf("%q matches %q", signed, accepted)
		}
		if origin.Compare(signed+".evil.example", accepted) == match || origin.Compare(signed+"/x", accepted) == match {
			t.Fatalf("%q matches %q, and so does a longer text", signed, accepted)
		}
	})
}

// FuzzCompareSymmetric checks that Compare returns the same for two audiences in
// either order, if both are well-formed, with a scheme, in ASCII and without a
// wildcard.
func FuzzCompareSymmetric(f *testing.F) {
	for _, table := range audiences {
		for _, c := range table {
			f.Add(c.signed, c.accepted)
		}
	}
	wellFormed := func(s string) bool {
		differs := origin.Compare(s, s) // a wildcard has HostMismatch
		return differs == match || differs > origin.HostMismatch
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if !wellFormed(a) || !wellFormed(b) {
			return
		}
		if there, back := origin.Compare(a, b), origin.Compare(b, a); there != back {
			t.Fatalf("%q for %q: %q, the other way %q", a, b, there, back)
		}
	})
}

// FuzzParse checks Parse against the oracle. It checks that the text of an origin
// parses to itself, that Compare accepts what Parse accepts, and that FromHost
// returns the same origin for its host.
func FuzzParse(f *testing.F) {
	for _, c := range origins {
		f.Add(c.text)
	}
	for _, table := range audiences {
		for _, c := range table {
			f.Add(c.accepted)
		}
	}
	f.Fuzz(func(t *testing.T, s string) {
		o, err := origin.Parse(s)
		if want := oracleParse(s); o.String() != want || (err == nil) != (want != "") {
			t.Fatalf("%q: %q, %v, the oracle says %q", s, o, err, want)
		}
		checkAudienceFuzz(t, s, err == nil)
		if err != nil {
			return
		}
		if again, err := origin.Parse(o.String()); again != o || err != nil {
			t.Fatalf("%q: %q parses to %q, %v", s, o, again, err)
		}
		if origin.Compare(o.String(), s) != match || origin.Compare(o.String(), o.String()) != match {
			t.Fatalf("%q: %q does not match", s, o)
		}
		hostPort := o.Host() + ":" + o.EffectivePort()
		if from, ok := origin.FromHost(o.Scheme(), hostPort); from != o || !ok {
			t.Fatalf("%q: %q as a host: %q", s, hostPort, from)
		}
	})
}

// checkAudienceFuzz checks that CheckAudience accepts what Parse accepts, and that
// something matches what CheckAudience accepts.
func checkAudienceFuzz(t *testing.T, s string, parses bool) {
	t.Helper()
	err := origin.CheckAudience(s)
	if err != nil {
		if parses {
			t.Fatalf("%q is an origin but not an audience: %v", s, err)
		}
		return
	}
	o, err := origin.Parse(strings.Replace(strings.TrimSuffix(s, "/"), "://*.", "://", 1))
	if err != nil {
		t.Fatalf("%q is an audience but %v", s, err)
	}
	signed := o.String()
	if strings.Contains(s, "*") {
		signed = strings.Replace(signed, "://", "://a.", 1)
	}
	if differs := origin.Compare(signed, s); differs != match {
		t.Fatalf("%q does not match the audience %q: %v", signed, s, differs)
	}
}

// FuzzFromHost checks FromHost against the oracle. It checks that ASCII does not
// change a host in ASCII and is idempotent, and that the loopback predicates agree.
func FuzzFromHost(f *testing.F) {
	for _, c := range hosts {
		f.Add(c.host)
	}
	for _, c := range loopbacks {
		f.Add(c.host)
	}
	f.Fuzz(func(t *testing.T, host string) {
		for _, scheme := range []string{"http", "https", "app", ""} {
			o, ok := origin.FromHost(scheme, host)
			if want := oracleFromHost(scheme, host); o.String() != want || ok != (want != "") {
				t.Fatalf("%s, %q: %q, %t, the oracle says %q", scheme, host, o, ok, want)
			}
			if again, _ := origin.FromHost(scheme, strings.TrimPrefix(o.String(), scheme+"://")); again != o {
				t.Fatalf("%s, %q: %q parses to %q", scheme, host, o, again)
			}
			if ok && origin.ASCII(host) != host {
				t.Fatalf("%q changes", host)
			}
		}
		if once := origin.ASCII(host); origin.ASCII(once) != once {
			t.Fatalf("%q: %q is not in ASCII", host, once)
		}
		if origin.IsLoopback(host) && !origin.IsLocal(host) {
			t.Fatalf("%q is loopback and not local", host)
		}
		if o, ok := origin.FromHost("http", host); ok && origin.IsLoopback(o.Host()) && origin.Compare(o.String(), o.String()) != match {
			t.Fatalf("%q is loopback and not an origin", host)
		}
	})
}
