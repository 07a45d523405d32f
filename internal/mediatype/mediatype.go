// Package mediatype compares the Content-Type of a request with a media type.
package mediatype

import "mime"

// maxLength is the length of the longest Content-Type that is parsed, in bytes. A megabyte of
// parameters, as much as net/http reads, takes a second and 50 MiB. Browsers send less than 100
// bytes.
const maxLength = 256

// Is reports whether a Content-Type is the media type, which is in lower case. It may have
// parameters.
func Is(contentType, want string) bool {
	if len(contentType) > maxLength {
		return false
	}
	got, _, err := mime.ParseMediaType(contentType)
	return err == nil && got == want
}
