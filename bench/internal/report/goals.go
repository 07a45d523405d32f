package report

// ratioGoals are the goals for complete verifications on one core, as ratios to
// OpenSSL's sum in the same run, by name, pair and state. The portable code reaches its
// goals, so a missed one is a regression.
var ratioGoals = map[string]map[string]map[string]float64{
	Ours: {
		"RS256/DS128": {"cold": 1.35, "cert": 1.00, "table": 0.33},
		"RS256/RS256": {"cold": 1.60, "cert": 0.80},
		"DS128/DS128": {"cold": 1.25, "cert": 0.60, "table": 0.25},
		"DS256/DS256": {"cold": 1.35, "cert": 0.65, "table": 0.24},
	},
	IFMA: {
		"RS256/DS128": {"cold": 0.40, "cert": 0.30},
		"RS256/RS256": {"cold": 0.45, "cert": 0.20},
		"DS128/DS128": {"cold": 0.38, "cert": 0.20},
		"DS256/DS256": {"cold": 0.23, "cert": 0.12},
	},
}

// RatioGoal returns the goal of Ours or IFMA for a pair in a state, or 0 if there is no goal.
func RatioGoal(name, pair, state string) float64 { return ratioGoals[name][pair][state] }

// AllocationGoal returns the largest number of allocations that meets the goal, 0 if there
// is no goal.
func AllocationGoal(name, pair, state string) float64 {
	switch {
	case ratioGoals[name] == nil:
		return 0
	case state == "cert" || state == "table":
		return 4
	case state == "cold" && pair == "RS256/RS256":
		return 24
	case state == "cold":
		return 12
	}
	return 0
}

// met returns the text for a value and its goal.
func met(value, goal float64) string {
	if value <= goal {
		return "met"
	}
	return "NOT MET"
}
