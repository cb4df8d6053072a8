package registry

import (
	"encoding/hex"
	"strings"
)

// Swift's driver keeps the bytes of an upload as
// segments/<3 digits>/<the other digits>/<16 decimal digits>, and the object
// made of them names the folder above the parts. The digits are those of the
// upload's path, 32 random bytes, and the SHA-1 of nothing.
const (
	segmentRandom = 32
	nothingSHA1   = "da39a3ee5e6b4b0d3255bfef95601890afd80709"
)

// SplitSegment cuts the key of a segment into what an object calls its
// segments by and the part's number.
func SplitSegment(key string) (segments, part string, ok bool) {
	segments, part = cutLast(key)
	if len(part) != 16 || strings.Trim(part, "0123456789") != "" || segments == "" {
		return "", "", false
	}
	return segments, part, true
}

// SegmentSource returns the path of the upload that segments come from, by
// their name; it is false where the name is not of that making.
func SegmentSource(segments string) (path string, ok bool) {
	rest, tail := cutLast(segments)
	_, head := cutLast(rest)
	raw, err := hex.DecodeString(head + tail)
	if err != nil {
		return "", false
	}
	source, ok := strings.CutSuffix(hex.EncodeToString(raw), nothingSHA1)
	if raw, err = hex.DecodeString(source); err != nil || !ok || len(raw) <= segmentRandom {
		return "", false
	}
	return string(raw[:len(raw)-segmentRandom]), true
}
