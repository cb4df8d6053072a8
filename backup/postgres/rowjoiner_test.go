package postgres

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"testing"
	"testing/iotest"
)

type message struct {
	kind byte
	body string
}

func stream(messages ...message) []byte {
	var b []byte
	for _, m := range messages {
		b = append(b, m.kind)
		b = binary.BigEndian.AppendUint32(b, uint32(len(m.body)+4))
		b = append(b, m.body...)
	}
	return b
}

// joined are the messages of a stream, those of rows that follow one another
// as one, and how many there were before.
func joined(b []byte) (list []message, count int) {
	for len(b) >= messageHeader {
		length := int64(binary.BigEndian.Uint32(b[1:])) + 1
		if length < messageHeader || length > int64(len(b)) {
			break
		}
		count++
		m := message{b[0], string(b[messageHeader:length])}
		if n := len(list); m.kind == copyData && n > 0 && list[n-1].kind == copyData {
			list[n-1].body += m.body
		} else {
			list = append(list, m)
		}
		b = b[length:]
	}
	return list, count
}

func TestRowsAreJoinedAndNothingElse(t *testing.T) {
	row := message{copyData, "1\tlibrary/app\n"}
	wide := message{copyData, string(bytes.Repeat([]byte("x"), 300<<10))}
	in := stream(message{'H', "\x00\x00\x00"}, row, row, wide, row, row, message{'N', "a notice"}, row, message{'c', ""}, message{'Z', "I"})
	for name, r := range map[string]io.Reader{
		"whole": bytes.NewReader(in), "byte by byte": iotest.OneByteReader(bytes.NewReader(in)),
		"in halves": iotest.HalfReader(bytes.NewReader(in)), "with the error": iotest.DataErrReader(bytes.NewReader(in)),
	} {
		out, err := io.ReadAll(newRowJoiner(r))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		want, _ := joined(in)
		got, count := joined(out)
		if !slices.Equal(got, want) {
			t.Errorf("%s: other messages came out than went in", name)
		}
		if name == "whole" && count >= 10 {
			t.Errorf("%d messages came out of 10", count)
		}
	}
}

// A server that is silent keeps nobody waiting for what it has sent.
func TestWhatHasComeIsHandedOut(t *testing.T) {
	r, w := io.Pipe()
	t.Cleanup(func() { w.Close() })
	in := stream(message{copyData, "1\n"}, message{copyData, "2\n"})
	go w.Write(append(in, copyData, 0, 0))
	got := make([]byte, 64)
	n, err := newRowJoiner(r).Read(got)
	if want := stream(message{copyData, "1\n2\n"}); err != nil || !bytes.Equal(got[:n], want) {
		t.Errorf("got %q, %v", got[:n], err)
	}
}

func TestAnErrorComesAfterWhatWasRead(t *testing.T) {
	in := stream(message{'Z', "I"})
	broken := errors.New("broken")
	j := newRowJoiner(io.MultiReader(bytes.NewReader(append(in, copyData, 0)), iotest.ErrReader(broken)))
	got, err := io.ReadAll(j)
	if !errors.Is(err, broken) || !bytes.Equal(got, in) {
		t.Errorf("got %q, %v", got, err)
	}
}

func FuzzRowJoiner(f *testing.F) {
	f.Add(stream(message{'H', ""}, message{copyData, "a\n"}, message{copyData, "b\n"}, message{'C', "COPY 2"}), uint8(3))
	f.Add([]byte("d\x00\x00\x00\x04d\xff\xff\xff\xffx"), uint8(1))
	f.Add([]byte("d\x00\x00\x00\x00d\x00\x00\x00\x06ab"), uint8(9))
	f.Fuzz(func(t *testing.T, in []byte, cut uint8) {
		var pieces []io.Reader
		for chunk := range slices.Chunk(in, int(cut)+1) {
			pieces = append(pieces, bytes.NewReader(chunk))
		}
		out, err := io.ReadAll(newRowJoiner(io.MultiReader(pieces...)))
		if err != nil {
			t.Fatal(err)
		}
		want, _ := joined(in)
		if got, _ := joined(out); !slices.Equal(got, want) {
			t.Errorf("other messages came out than went in: %q, not %q", got, want)
		}
	})
}
