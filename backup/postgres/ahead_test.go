package postgres

import (
	"bytes"
	"errors"
	"testing"
)

// slowly keeps what it is given, and fails behind a limit.
type slowly struct {
	bytes.Buffer
	limit int
}

var errLimit = errors.New("the disk is full")

func (s *slowly) Write(p []byte) (int, error) {
	if s.Len()+len(p) > s.limit {
		return 0, errLimit
	}
	return s.Buffer.Write(p)
}

func TestAheadWritesEverythingInOrder(t *testing.T) {
	for _, size := range []int{0, 1, aheadBytes, 3*aheadBytes + 7, 40 * aheadBytes} {
		want := make([]byte, size)
		for i := range want {
			want[i] = byte(i * 7 >> 3)
		}
		to := &slowly{limit: size}
		a := newAhead(to)
		for at := 0; at < size; at += 100_000 {
			if _, err := a.Write(want[at:min(at+100_000, size)]); err != nil {
				t.Fatal(err)
			}
		}
		if err := a.Close(); err != nil || !bytes.Equal(to.Bytes(), want) {
			t.Errorf("%d bytes: %d came, %v", size, to.Len(), err)
		}
	}
}

func TestAheadTellsTheErrorOfAWrite(t *testing.T) {
	a := newAhead(&slowly{limit: 2 * aheadBytes})
	var err error
	for range 100 {
		if _, err = a.Write(make([]byte, aheadBytes)); err != nil {
			break
		}
	}
	if !errors.Is(err, errLimit) || !errors.Is(a.Close(), errLimit) {
		t.Errorf("got %v", err)
	}
	late := newAhead(&slowly{})
	if _, err := late.Write([]byte("x")); err != nil {
		t.Error(err)
	}
	if err := late.Close(); !errors.Is(err, errLimit) {
		t.Errorf("Close: %v", err)
	}
}
