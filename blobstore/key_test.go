package blobstore

import (
	"errors"
	"strings"
	"testing"
)

func TestKeysThatNameNothing(t *testing.T) {
	for _, key := range []string{"", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/..", "a/../b", "a/./b", "a\x00b"} {
		if err := CheckKey(key); !errors.Is(err, ErrKey) {
			t.Errorf("%q: %v", key, err)
		}
	}
	for _, key := range []string{"a", "a/b", "...", "a..b", ".a", "a\\b", "\xff", strings.Repeat("n", 2000)} {
		if err := CheckKey(key); err != nil {
			t.Errorf("%q: %v", key, err)
		}
	}
}

func TestKeysThatAreNotWritten(t *testing.T) {
	for _, key := range []string{"a/", "\xff", "a\nb", "a\u0085b", ".tmp-x", "a/.tmp-x/b", strings.Repeat("n", 201), strings.Repeat("ab/", 342) + "c"} {
		if err := CheckNewKey(key); !errors.Is(err, ErrKey) {
			t.Errorf("%q: %v", key, err)
		}
	}
	for _, key := range []string{"snapshots/20261121T100000Z-x7/data/000001.zst", "ä/日本", strings.Repeat("n", 200), ".tmp"} {
		if err := CheckNewKey(key); err != nil {
			t.Errorf("%q: %v", key, err)
		}
	}
}

// FuzzOverlaps: a range that has a key overlaps with all that the key begins
// with.
func FuzzOverlaps(f *testing.F) {
	f.Add("a/b", 2, "a", "a/", "b")
	f.Add("a/b", 1, "a/b", "", "a/c")
	f.Add("a/b", 3, "", "a/a", "a/b")
	f.Fuzz(func(t *testing.T, key string, length int, prefix, after, before string) {
		in := Range{Prefix: prefix, After: after, Before: before}
		part := key[:max(0, min(length, len(key)))]
		if in.Contains(key) && !in.Overlaps(part) {
			t.Errorf("%+q has %q, and does not overlap with %q", in, key, part)
		}
	})
}
