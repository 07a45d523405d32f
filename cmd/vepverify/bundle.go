package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/vepverify/vepverify/cmd/vepverify/internal/cli"
	"github.com/vepverify/vepverify/evp"
	"github.com/vepverify/vepverify/internal/bundlename"
	"github.com/vepverify/vepverify/internal/sniff"
	"github.com/vepverify/vepverify/internal/strictjson"
	"github.com/vepverify/vepverify/keys"
	"github.com/vepverify/vepverify/wellknown"
)

// bundle is the content of a file for --keys: support documents by the names of their
// entries, or null.
type bundle map[string]json.RawMessage

// maxBundle is the size limit of the file of --save, in bytes.
const maxBundle = 256 << 20

// readBundle reads the bundle to which --save adds. A file that does not exist is an empty
// one. A file with another content is an error, so that it is not overwritten.
func readBundle(ctx context.Context, c *cli.Call, name string) (bundle, error) {
	data, err := c.ReadUpTo(ctx, name, maxBundle+1)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return bundle{}, nil
	case err != nil:
		return nil, err
	case len(data) > maxBundle:
		return nil, notBundle(name, fmt.Errorf("it is larger than %d bytes", maxBundle))
	}
	b, err := parseBundle(data)
	if err != nil {
		if kind := sniff.OfFile(data); kind != sniff.Unknown && kind != sniff.JSON && kind != sniff.Bundle {
			err = fmt.Errorf("it is %v", kind)
		}
		return nil, notBundle(name, err)
	}
	return b, nil
}

func notBundle(name string, err error) error {
	return fmt.Errorf("%s exists, is not a file for --keys, and is not changed: %w; name another file, or remove it", name, err)
}

// parseBundle parses a bundle. The names of its entries become lower case, except those for the
// Email Verification Protocol: URLs, whose case matters, and TXT records.
func parseBundle(data []byte) (bundle, error) {
	if _, err := wellknown.ParseStatic(data); err != nil {
		return nil, err
	}
	object, err := strictjson.ParseObject(data)
	if err != nil {
		return nil, err
	}
	b := make(bundle, len(object))
	for _, m := range object {
		if name := m.Name; bundlename.ForTokens(name) {
			b[name] = m.Value
		} else {
			b[strings.ToLower(name)] = m.Value
		}
	}
	return b, nil
}

// The values of bundleChange.Kind.
const (
	added     = "added"
	changed   = "changed"
	unchanged = "unchanged"
)

// bundleChange is what --save did to an entry.
type bundleChange struct {
	Name, Kind string
	Details    []string // for people: what has changed
}

// merge adds the entries of newer to b, and returns what that changed. The other entries of
// b stay.
func (b bundle) merge(newer bundle) (changes []bundleChange) {
	for _, name := range slices.Sorted(maps.Keys(newer)) {
		c := bundleChange{Name: name, Kind: added}
		older, found := b[name]
		switch {
		case !found:
		case bundlename.ForTokens(name):
			c.Kind, c.Details = tokenChange(older, newer[name])
		case bytes.Equal(canonicalDocument(older), canonicalDocument(newer[name])):
			c.Kind = unchanged
		default:
			c.Kind, c.Details = changed, describeChange(older, newer[name])
		}
		b[name] = newer[name]
		changes = append(changes, c)
	}
	return changes
}

// canonicalDocument returns a text that is equal for equal documents.
func canonicalDocument(raw json.RawMessage) []byte {
	d := documentOf(raw)
	if d == nil {
		return nil
	}
	text, err := json.Marshal(d)
	if err != nil {
		return raw
	}
	return text
}

// documentOf returns the document of a valid entry, and nil for null.
func documentOf(raw json.RawMessage) *wellknown.Document {
	d, err := wellknown.ParseDocument(raw)
	if err != nil {
		return nil
	}
	return d
}

// describeChange returns the differences of two documents for people.
func describeChange(older, newer json.RawMessage) (list []string) {
	a, b := documentOf(older), documentOf(newer)
	if wasA, isB := standing(a), standing(b); wasA != isB {
		return []string{"was: " + wasA, "is now: " + isB}
	}
	list = describeKeyChange(keysOf(a), keysOf(b))
	if a != nil && b != nil && (a.Authentication != b.Authentication || a.Provisioning != b.Provisioning) {
		list = append(list, "other pages for authentication or provisioning")
	}
	if list == nil {
		list = []string{"the same keys in another form"}
	}
	return list
}

// describeKeyChange returns the differences of two sets of keys for people.
func describeKeyChange(before, after map[string]bool) (list []string) {
	for _, key := range slices.Sorted(maps.Keys(after)) {
		if !before[key] {
			list = append(list, "new key "+key)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(before)) {
		if !after[key] {
			list = append(list, "removed key "+key)
		}
	}
	return list
}

// standing returns what a document says of its domain.
func standing(d *wellknown.Document) string {
	switch {
	case d == nil:
		return "does not support BrowserID"
	case d.Disabled:
		return "disabled"
	case d.Authority != "":
		return "delegates to " + d.Authority
	}
	return "has its own keys"
}

// keysOf returns the keys of a document, each on one line.
func keysOf(d *wellknown.Document) map[string]bool {
	all := make(map[string]bool)
	if d == nil {
		return all
	}
	for _, k := range append([]keys.PublicKey{d.PublicKey}, d.Keys...) {
		if k != nil {
			all[describeKey(k).String()] = true
		}
	}
	return all
}

// saveBundle adds the documents to the file for --save. If a lookup failed, it returns a note
// to print after the results. Every other failure is an error.
func (l *lookupCmd) saveBundle(ctx context.Context, c *cli.Call, from saver, names []string, worst cli.Status) (s *savedBundle, err error) {
	var text bytes.Buffer
	err = from.Save(ctx, &text, names...)
	if reason := lookupReason(err); reason != "" && worst != cli.ExitOkay {
		return &savedBundle{note: l.save + " not written: " + reason}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s not written: %w", l.save, err)
	}
	newer, err := parseBundle(text.Bytes())
	if err != nil {
		return nil, err
	}
	merged, err := readBundle(ctx, c, l.save) // once more: it may have changed since
	if err != nil {
		return nil, err
	}
	s = &savedBundle{changes: merged.merge(newer), entries: len(merged)}
	data, err := json.MarshalIndent(merged, "", "  ")
	if err != nil {
		return nil, err
	}
	return s, cli.ReplaceFile(l.save, append(data, '\n'))
}

// lookupReason returns why a lookup failed, or "" for other errors.
func lookupReason(err error) string {
	var authority *wellknown.LookupError
	var issuer *evp.Error
	switch {
	case errors.As(err, &authority):
		return authority.Error()
	case errors.As(err, &issuer):
		return issuer.Detail()
	}
	return ""
}

// savedBundle is the result of --save.
type savedBundle struct {
	note    string // why the file is not written; "" if it is
	changes []bundleChange
	entries int // of the file
}

// kindOf returns what --save did to entries, or "" if it did nothing. If that differs, something has
// changed.
func (s *savedBundle) kindOf(names []string) (kind string) {
	if s == nil {
		return ""
	}
	for _, c := range s.changes {
		switch {
		case !slices.Contains(names, c.Name):
		case kind == "" || kind == c.Kind:
			kind = c.Kind
		default:
			kind = changed
		}
	}
	return kind
}

// printChanges prints what --save did to the file.
func printChanges(c *cli.Call, name string, changes []bundleChange, total int) {
	fmt.Fprintf(c.Out, "\n%s: %s\n", cli.Printable(name), plural(total, "entry", "entries"))
	t := cli.Table{Indent: "  "}
	for _, change := range changes {
		t.Row(change.Kind, change.Name)
		for _, detail := range change.Details {
			t.Row("", detail)
		}
	}
	if kept := total - len(changes); kept > 0 {
		t.Row("kept", plural(kept, "other entry", "other entries"))
	}
	fmt.Fprint(c.Out, t.String())
}

// plural returns a number with a noun.
func plural(n int, one, several string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, several)
}
