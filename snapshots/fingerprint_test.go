package snapshots_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/harbordb/harbordb/snapshots"
)

func tally(t *testing.T, text string, cuts ...int) snapshots.Tally {
	t.Helper()
	var l snapshots.LineTally
	from := 0
	for _, cut := range append(cuts, len(text)) {
		_, _ = l.Write([]byte(text[from:cut]))
		from = cut
	}
	sum, err := l.Tally()
	check(t, err)
	return sum
}

// The fingerprint depends on the lines alone: not on their order, and not on
// how they are cut into writes.
func TestFingerprint(t *testing.T) {
	text := "1\ta\n2\tb\n\n" + strings.Repeat("x", 1000) + "\n1\ta\n"
	want := tally(t, text)
	if want.Rows != 5 || want.Bytes != int64(len(text)) {
		t.Errorf("%d rows, %d bytes", want.Rows, want.Bytes)
	}
	for cut := range text {
		if got := tally(t, text, cut, min(cut+3, len(text))); got != want {
			t.Fatalf("cut at %d: %v, not %v", cut, got, want)
		}
	}
	lines := strings.SplitAfter(strings.TrimSuffix(text, "\n"), "\n")
	lines[len(lines)-1] += "\n"
	rand.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
	if got := tally(t, strings.Join(lines, "")); got != want {
		t.Error("it depends on the order")
	}
	if tally(t, strings.Replace(text, "b", "c", 1)).Fingerprint == want.Fingerprint {
		t.Error("it does not depend on the lines")
	}
	parsed, err := snapshots.ParseFingerprint(want.Fingerprint.String())
	if err != nil || parsed != want.Fingerprint {
		t.Error(parsed, err)
	}
}

func TestALineCutShortIsAnError(t *testing.T) {
	var l snapshots.LineTally
	_, _ = l.Write([]byte("1\n2"))
	if _, err := l.Tally(); err == nil {
		t.Error("no error")
	}
}

func FuzzParseManifest(f *testing.F) {
	f.Add([]byte(`{"format":1}`))
	f.Add([]byte(`{"format":1,"id":"20260101T000000Z-aaaaaa","source":{"engine":"postgresql","database":"r"},"objects":[],"contents":{"databases":[{"name":"r"}]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := snapshots.ParseManifest(data)
		if err == nil && m.Validate() != nil {
			t.Error("accepted and not valid")
		}
	})
}
