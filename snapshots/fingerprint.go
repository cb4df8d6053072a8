package snapshots

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math/bits"

	"github.com/zeebo/xxh3"
)

// Fingerprint is the content of a table in 128 bits, independent of the order
// of its rows: the sum mod 2^128 of the xxh3-128 of each raw line. It guards
// against accidents, not against forgers; the SHA-256 of the objects does
// that.
type Fingerprint struct{ hi, lo uint64 }

// Add sums two fingerprints; parts of a table add up to the table.
func (f Fingerprint) Add(g Fingerprint) Fingerprint {
	lo, carry := bits.Add64(f.lo, g.lo, 0)
	hi, _ := bits.Add64(f.hi, g.hi, carry)
	return Fingerprint{hi: hi, lo: lo}
}

// String returns 32 hex digits, most significant first.
func (f Fingerprint) String() string { return fmt.Sprintf("%016x%016x", f.hi, f.lo) }

// ParseFingerprint is the inverse of String.
func ParseFingerprint(s string) (Fingerprint, error) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != 16 {
		return Fingerprint{}, fmt.Errorf("%q is not a fingerprint of 32 hex digits", s)
	}
	var f Fingerprint
	for i := range 8 {
		f.hi = f.hi<<8 | uint64(b[i])
		f.lo = f.lo<<8 | uint64(b[8+i])
	}
	return f, nil
}

// Tally is what a stream of rows amounts to.
type Tally struct {
	Rows        int64
	Bytes       int64 // newlines included
	Fingerprint Fingerprint
}

// Add sums two tallies.
func (t Tally) Add(u Tally) Tally {
	return Tally{t.Rows + u.Rows, t.Bytes + u.Bytes, t.Fingerprint.Add(u.Fingerprint)}
}

// LineTally is an io.Writer that tallies the lines written to it, however
// they are cut into writes. A line longer than a write is hashed as it comes,
// so memory does not depend on the width of a row.
type LineTally struct {
	tally   Tally
	partial *xxh3.Hasher // the line begun by an earlier write, if open
	open    bool
}

// Write never fails.
func (l *LineTally) Write(p []byte) (int, error) {
	n := len(p)
	l.tally.Bytes += int64(n)
	if l.open {
		p = l.continueLine(p)
	}
	for len(p) > 0 {
		i := bytes.IndexByte(p, '\n')
		if i < 0 {
			l.beginLine(p)
			break
		}
		l.add(xxh3.Hash128(p[:i]))
		p = p[i+1:]
	}
	return n, nil
}

// Tally returns the lines so far, or an error where the last one has no end.
func (l *LineTally) Tally() (Tally, error) {
	if l.open {
		return l.tally, fmt.Errorf("the last of %d rows is cut short", l.tally.Rows+1)
	}
	return l.tally, nil
}

func (l *LineTally) beginLine(p []byte) {
	if l.partial == nil {
		l.partial = xxh3.New()
	}
	l.partial.Reset()
	_, _ = l.partial.Write(p)
	l.open = true
}

func (l *LineTally) continueLine(p []byte) (rest []byte) {
	i := bytes.IndexByte(p, '\n')
	if i < 0 {
		_, _ = l.partial.Write(p)
		return nil
	}
	_, _ = l.partial.Write(p[:i])
	l.add(l.partial.Sum128())
	l.open = false
	return p[i+1:]
}

func (l *LineTally) add(h xxh3.Uint128) {
	l.tally.Rows++
	l.tally.Fingerprint = l.tally.Fingerprint.Add(Fingerprint{hi: h.Hi, lo: h.Lo})
}
