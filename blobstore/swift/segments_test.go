package swift

import (
	"testing"
)

func TestHeadNamesTheSegmentsOfALargeObject(t *testing.T) {
	r := &Reader{config: Config{Container: "c", Prefix: "harbor/"}}
	for manifest, want := range map[string]string{
		"c/harbor/segments/abc/0123":    "segments/abc/0123",
		"c/harbor/segments/abc/0123/":   "segments/abc/0123",
		"c/harbor/segments/a%20b/0123":  "segments/a b/0123",
		"c/elsewhere/segments/abc/0123": "",
		"other/harbor/segments/abc":     "",
		"c/harbor/%zz":                  "",
		"":                              "",
	} {
		if got := r.segments(manifest); got != want {
			t.Errorf("segments of %q: %q, want %q", manifest, got, want)
		}
	}
}
