package registry

import (
	"crypto/md5"
	"errors"
	"strings"
	"testing"
)

func TestParseDigestIsAsStrictAsARegistry(t *testing.T) {
	for text, legal := range map[string]bool{
		"sha256:" + hexA:                  true,
		"sha512:" + hex512:                true,
		"tarsum.v1+sha256:" + hexA:        true,
		"blake3:00ff":                     true,
		"sha256:" + hexA[:63]:             false,
		"sha256:" + hexA + "0":            false,
		"sha256:" + strings.ToUpper(hexA): false,
		"sha256:" + hexA + "\n":           false,
		" sha256:" + hexA:                 false,
		"sha256" + hexA:                   false,
		"SHA256:" + hexA:                  false,
		"sha256:":                         false,
		":" + hexA:                        false,
		"a++b:00":                         false,
		"blake3:0/1":                      false,
		"":                                false,
	} {
		if _, err := ParseDigest(text); (err == nil) != legal {
			t.Errorf("ParseDigest(%q): %v, want legal = %v", text, err, legal)
		}
	}
}

func TestDigestsOfNothing(t *testing.T) {
	for algorithm, known := range algorithms {
		d := Digest{Algorithm: algorithm, Hex: known.empty}
		if !d.OfNothing() {
			t.Errorf("%s is not the digest of nothing", d)
		}
		h, ok := d.NewHash()
		if !ok {
			t.Fatalf("no hash for %s", algorithm)
		}
		if got := hexOf(h.Sum(nil)); got != known.empty {
			t.Errorf("%s of nothing is %s, not %s", algorithm, got, known.empty)
		}
	}
	if digestA.OfNothing() {
		t.Error("a digest of something passes for that of nothing")
	}
}

func hexOf(sum []byte) string {
	const digits = "0123456789abcdef"
	var b strings.Builder
	for _, c := range sum {
		b.WriteByte(digits[c>>4])
		b.WriteByte(digits[c&15])
	}
	return b.String()
}

func TestParseLink(t *testing.T) {
	tests := map[string]struct {
		content    string
		err        error
		repairable bool
	}{
		"right":              {content: digestA.String(), repairable: true},
		"empty":              {content: "", err: ErrLinkEmpty},
		"newline at its end": {content: digestA.String() + "\n", err: ErrLinkMalformed, repairable: true},
		"byte order mark":    {content: "\ufeff" + digestA.String(), err: ErrLinkMalformed, repairable: true},
		"NULs":               {content: strings.Repeat("\x00", 71), err: ErrLinkMalformed},
		"NULs at its end":    {content: digestA.String()[:71] + "\x00\x00", err: ErrLinkMalformed, repairable: true},
		"short":              {content: digestA.String()[:70], err: ErrLinkMalformed},
		"no digest":          {content: "hello", err: ErrLinkMalformed},
		"very long":          {content: strings.Repeat("x", 10*MaxLink), err: ErrLinkMalformed},
	}
	for behaviour, test := range tests {
		t.Run(behaviour, func(t *testing.T) {
			d, err := ParseLink([]byte(test.content))
			if !errors.Is(err, test.err) || (err == nil) != (test.err == nil) {
				t.Errorf("error %v, want %v", err, test.err)
			}
			if err == nil && d != digestA {
				t.Errorf("link to %s", d)
			}
			if err != nil && len(err.Error()) > 300 {
				t.Errorf("the error shows all of the content: %d bytes", len(err.Error()))
			}
			if _, ok := Repairable([]byte(test.content)); ok != test.repairable {
				t.Errorf("repairable: %v", ok)
			}
		})
	}
}

func TestALinkIsProvedBySizeAndMD5(t *testing.T) {
	for _, d := range []Digest{digestA, long} {
		if got, want := LinkMD5(d), md5.Sum([]byte(d.String())); got != want {
			t.Errorf("MD5 of the link to %s: %x, want %x", d, got, want)
		}
		if got := LinkSize(d); got != int64(len(d.String())) {
			t.Errorf("size of the link to %s: %d", d, got)
		}
	}
}

func FuzzParseLink(f *testing.F) {
	f.Add([]byte(digestA.String()))
	f.Add([]byte(digestA.String() + "\n"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, content []byte) {
		d, err := ParseLink(content)
		if err == nil && d.String() != string(content) {
			t.Errorf("a link of %q reads as %s", content, d)
		}
	})
}
