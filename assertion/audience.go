package assertion

import (
	"fmt"

	"github.com/vepverify/vepverify/internal/origin"
)

// checkAudience returns an error matching ErrAudience unless the assertion's audience
// matches one of those that the relying party accepts (PROTOCOL §5). Of several
// mismatches it reports the one that came closest.
func checkAudience(signed string, accepted []string) error {
	var closest origin.Mismatch
	for _, want := range accepted {
		differs := origin.Compare(signed, want)
		if differs == 0 {
			return nil
		}
		closest = max(closest, differs)
	}
	return &Error{
		Kind: ErrAudience, Reason: "audience mismatch: " + closest.String(),
		Found: fmt.Sprintf("%.200q", signed), Expected: fmt.Sprintf("%.200q", accepted),
		Advice: "the assertion was made for another site, or the relying party's own origin is misconfigured: give it in full, such as https://rp.example",
	}
}
