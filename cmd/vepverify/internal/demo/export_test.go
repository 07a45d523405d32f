package demo

import "time"

var (
	Forge          = forge
	ShortenNumbers = shortenNumbers
)

const MaxMembers = maxMembers

// ListMembers adds members, one a nanosecond, and returns the list of those that are
// remembered.
func ListMembers(t time.Time, emails ...string) (list []string) {
	all := newMembers()
	for i, email := range emails {
		all.add(&member{Email: email, Since: t.Add(time.Duration(i))})
	}
	for _, m := range all.list() {
		list = append(list, m.Email)
	}
	return list
}
