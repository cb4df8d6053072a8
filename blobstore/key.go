package blobstore

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// TempPrefix begins the last component of the temporary names under which a
// store of ours keeps what is not complete. No key may use it.
const TempPrefix = ".tmp-"

// Limits of a key that harbordb writes. 1024 bytes is the limit of S3 and of
// Swift; a component has to be a file name, with room for a suffix.
const (
	maxKey       = 1024
	maxComponent = 200
)

// CheckKey returns ErrKey for a key that cannot name an object: empty,
// absolute, ending in "/", with an empty, "." or ".." component, or with a NUL.
// Every store asks it before it reads or deletes.
func CheckKey(key string) error {
	if strings.IndexByte(key, 0) >= 0 {
		return fmt.Errorf("%w %q: it holds a NUL byte", ErrKey, key)
	}
	for part := range strings.SplitSeq(key, "/") {
		switch part {
		case "":
			return fmt.Errorf("%w %q: empty component", ErrKey, key)
		case ".", "..":
			return fmt.Errorf("%w %q: component %q", ErrKey, key, part)
		}
	}
	return nil
}

// CheckNewKey returns ErrKey for a key that harbordb must not write: one that
// CheckKey refuses, that some store could not hold, or that a terminal could
// not show.
func CheckNewKey(key string) error {
	if err := CheckKey(key); err != nil {
		return err
	}
	if len(key) > maxKey {
		return fmt.Errorf("%w %q…: longer than %d bytes", ErrKey, key[:40], maxKey)
	}
	if !utf8.ValidString(key) || strings.ContainsFunc(key, unicode.IsControl) {
		return fmt.Errorf("%w %q: no printable UTF-8", ErrKey, key)
	}
	for part := range strings.SplitSeq(key, "/") {
		if strings.HasPrefix(part, TempPrefix) {
			return fmt.Errorf("%w %q: names with %s are for unfinished objects", ErrKey, key, TempPrefix)
		}
		if len(part) > maxComponent {
			return fmt.Errorf("%w %q: component longer than %d bytes", ErrKey, key, maxComponent)
		}
	}
	return nil
}

// Contains reports whether a key is in the range.
func (r Range) Contains(key string) bool {
	return strings.HasPrefix(key, r.Prefix) &&
		(r.After == "" || key > r.After) &&
		(r.Before == "" || key < r.Before)
}

// Overlaps reports whether some key that begins with prefix can be in the
// range.
func (r Range) Overlaps(prefix string) bool {
	if !strings.HasPrefix(prefix, r.Prefix) && !strings.HasPrefix(r.Prefix, prefix) {
		return false
	}
	if r.After != "" && prefix < r.After && !strings.HasPrefix(r.After, prefix) {
		return false // all keys with this prefix sort below After
	}
	return r.Before == "" || prefix < r.Before
}
