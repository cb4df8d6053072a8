package postgres

import "io"

// ahead is an io.WriteCloser that writes on in a goroutine of its own, half a
// megabyte behind at the most. The server's process then goes on with the next
// rows while ours compresses the last ones; without it each waits for the other
// whenever the socket between them is full or empty.
type ahead struct {
	full, free chan []byte
	buf        []byte
	done       chan struct{}
	err        error // of the writer behind; read once done is closed
}

const (
	aheadBuffers = 8
	aheadBytes   = 64 << 10
)

// newAhead returns a writer to another. It is to be closed.
func newAhead(to io.Writer) *ahead {
	a := &ahead{full: make(chan []byte, aheadBuffers), free: make(chan []byte, aheadBuffers), done: make(chan struct{})}
	for range aheadBuffers {
		a.free <- make([]byte, 0, aheadBytes)
	}
	go func() {
		defer close(a.done)
		for buf := range a.full {
			if _, a.err = to.Write(buf); a.err != nil {
				return
			}
			a.free <- buf[:0]
		}
	}()
	return a
}

// Write takes over a copy of p. It returns the error of an earlier one.
func (a *ahead) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		if a.buf == nil {
			select {
			case a.buf = <-a.free:
			case <-a.done:
				return n - len(p), a.err
			}
		}
		k := min(len(p), aheadBytes-len(a.buf))
		a.buf, p = append(a.buf, p[:k]...), p[k:]
		if len(a.buf) == aheadBytes {
			a.send()
		}
	}
	return n, nil
}

func (a *ahead) send() {
	a.full <- a.buf // never blocks: there are no more buffers than it holds
	a.buf = nil
}

// Close returns when everything is written, or with the error that prevented
// it.
func (a *ahead) Close() error {
	if len(a.buf) > 0 {
		a.send()
	}
	close(a.full)
	<-a.done
	return a.err
}
