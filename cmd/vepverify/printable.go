package main

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// printable escapes what a terminal might act upon, control characters and
// those that turn the writing direction among them, in the notation of JSON:
// within JSON it changes nothing of the meaning. A byte that is not UTF-8 is
// shown as U+FFFD.
func printable(s string) string {
	var b strings.Builder
	for _, r := range s {
		if strconv.IsPrint(r) {
			b.WriteRune(r)
			continue
		}
		for _, unit := range utf16.AppendRune(nil, r) {
			fmt.Fprintf(&b, `\u%04x`, unit)
		}
	}
	return b.String()
}

// shortened gives s in printable form, cut off when it is long.
func shortened(s string, limit int) string {
	s = printable(s)
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit] + "…"
}
