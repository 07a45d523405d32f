package report

// ratioGoals are the goals for complete verifications on one core, as ratios to
// OpenSSL's sum in the same run, by pair and state.
var ratioGoals = map[string]map[string]float64{
	"RS256/DS128": {"cold": 1.15, "cert": 0.82, "table": 0.33},
	"RS256/RS256": {"cold": 1.50, "cert": 0.62},
	"DS128/DS128": {"cold": 1.05, "cert": 0.52, "table": 0.25},
	"DS256/DS256": {"cold": 1.15, "cert": 0.60, "table": 0.24},
}

// RatioGoal gives the goal of a pair in a state, 0 where there is none.
func RatioGoal(pair, state string) float64 { return ratioGoals[pair][state] }

// AllocationGoal gives the largest number of allocations set out for, 0 where
// there is no goal.
func AllocationGoal(pair, state string) float64 {
	switch {
	case state == "cert" || state == "table":
		return 4
	case state == "cold" && pair == "RS256/RS256":
		return 24
	case state == "cold":
		return 12
	}
	return 0
}

// met puts a verdict in words.
func met(value, goal float64) string {
	if value <= goal {
		return "met"
	}
	return "NOT MET"
}
