package postgres

import (
	"encoding/binary"
	"io"
)

// rowJoiner reads a server's messages and joins CopyData messages that follow
// one another, as a rule one a row, into few large ones; everything else
// passes as it is. The driver then works on 128 KiB at a time instead of on
// every row, and Harbor's largest table has rows of fifty bytes. The protocol
// gives the bounds of these messages no meaning (PostgreSQL manual, "COPY
// Operations"). Nothing waits here but the rest of a message that has begun.
type rowJoiner struct {
	r   io.Reader
	buf []byte
	// buf[from:ready] is to be handed out; buf[rest:to] has been read and not
	// been looked at.
	from, ready, rest, to int
	open                  int   // where in buf a CopyData begins that can be joined to, or -1
	left                  int64 // bytes of a message that passes as it comes
	err                   error // of r, told once what it gave is handed out
}

const (
	messageHeader = 5   // bytes: the type, and a length that counts itself
	copyData      = 'd' // PostgreSQL manual, "Message Formats"
)

func newRowJoiner(r io.Reader) *rowJoiner { return &rowJoiner{r: r, buf: make([]byte, 128<<10)} }

// Read returns messages, cut anywhere.
func (j *rowJoiner) Read(p []byte) (int, error) {
	for j.from == j.ready {
		if err := j.err; err != nil {
			j.err = nil
			return 0, err
		}
		j.fill()
	}
	n := copy(p, j.buf[j.from:j.ready])
	j.from += n
	return n, nil
}

// fill reads once and prepares what it can. All that was prepared before has
// been handed out.
func (j *rowJoiner) fill() {
	j.to = copy(j.buf, j.buf[j.rest:j.to])
	j.from, j.ready, j.rest, j.open = 0, 0, 0, -1
	n, err := j.r.Read(j.buf[j.to:])
	j.to, j.err = j.to+n, err
	for j.prepare() {
	}
}

// prepare takes the next message, or what there is of it. It is false where
// more must be read first.
func (j *rowJoiner) prepare() bool {
	if j.left == 0 {
		unseen := j.buf[j.rest:j.to]
		if len(unseen) < messageHeader {
			return false
		}
		length := int64(binary.BigEndian.Uint32(unseen[1:])) + 1
		if unseen[0] == copyData && length >= messageHeader && length <= int64(len(j.buf)) {
			return length <= int64(len(unseen)) && j.join(unseen[:length])
		}
		// One that is shorter than its header is for the driver to refuse.
		j.left, j.open = max(length, messageHeader), -1
	}
	n := int(min(j.left, int64(j.to-j.rest)))
	j.ready += copy(j.buf[j.ready:], j.buf[j.rest:j.rest+n])
	j.rest += n
	j.left -= int64(n)
	return j.left == 0
}

// join appends a CopyData to the one that is open, or opens it.
func (j *rowJoiner) join(message []byte) bool {
	j.rest += len(message)
	if j.open < 0 {
		j.open = j.ready
		j.ready += copy(j.buf[j.ready:], message)
		return true
	}
	j.ready += copy(j.buf[j.ready:], message[messageHeader:])
	binary.BigEndian.PutUint32(j.buf[j.open+1:], uint32(j.ready-j.open-1))
	return true
}
