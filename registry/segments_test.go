package registry

import (
	"encoding/hex"
	"strings"
	"testing"
)

func TestTheNameOfASegmentTellsItsUpload(t *testing.T) {
	upload := "/docker/registry/v2/repositories/library/app/_uploads/9ac3ea44-cbb6-4a1b-8048-6e59767c7370/data"
	digits := hex.EncodeToString([]byte(upload)) + strings.Repeat("7f", segmentRandom) + nothingSHA1
	name := "harbor/segments/" + digits[:3] + "/" + digits[3:]
	segments, part, ok := SplitSegment(name + "/0000000000000012")
	if !ok || segments != name || part != "0000000000000012" {
		t.Fatalf("split: %q, %q, %v", segments, part, ok)
	}
	if got, ok := SegmentSource(segments); !ok || got != upload {
		t.Errorf("upload %q, %v", got, ok)
	}
	for _, other := range []string{"segments/abc/def", "segments/zz/zz", "", "segments", "segments/" + digits[:3] + "/" + digits[3:80]} {
		if got, ok := SegmentSource(other); ok {
			t.Errorf("upload of %q: %q", other, got)
		}
	}
	for _, other := range []string{"", "segments/abc/x", "0000000000000012", name + "/000000000000012x"} {
		if _, _, ok := SplitSegment(other); ok {
			t.Errorf("%q passes for a segment", other)
		}
	}
}
