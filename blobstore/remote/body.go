package remote

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// tries is how often a body is opened again without a byte in between.
const tries = 3

// Part is the rest of an object, from some byte to its end.
type Part struct {
	io.ReadCloser
	length int64  // -1 where it is not known
	etag   string // of the whole object; "" where the server has none
}

// Part takes the body of an answer to a GET from offset on; resp is left
// without it.
func (c *Client) Part(resp *http.Response, offset int64) (*Part, error) {
	p := &Part{ReadCloser: resp.Body, length: resp.ContentLength, etag: resp.Header.Get("Etag")}
	if span := resp.Header.Get("Content-Range"); span != "" && !strings.HasPrefix(span, fmt.Sprintf("bytes %d-", offset)) {
		return nil, fmt.Errorf("asked for the bytes from %d on, the server sends %q", offset, span)
	}
	if offset > 0 && resp.StatusCode != http.StatusPartialContent {
		// A server without ranges sends all of it.
		if _, err := io.CopyN(io.Discard, resp.Body, offset); err != nil {
			return nil, c.Broken(err)
		}
		if p.length >= 0 {
			p.length -= offset
		}
	}
	resp.Body = http.NoBody
	return p, nil
}

// Body reads an object from an offset to its end. Where it is cut, it asks
// for the rest of the same object. It is used by one goroutine.
type Body struct {
	// Current is what is being read, from Offset on.
	Current *Part
	Offset  int64
	// Open opens the rest of the object.
	Open func(offset int64) (*Part, error)
	// Cut marks an error of reading as temporary where it is worth to go
	// on behind it.
	Cut func(error) error
	// Fail puts the object's name to an error.
	Fail func(error) error

	got    int64 // bytes of Current
	failed int
}

// Read reads on, over cuts. The end of the object is io.EOF; any other end is
// an error.
func (b *Body) Read(p []byte) (int, error) {
	for {
		n, err := b.Current.Read(p)
		b.Offset += int64(n)
		b.got += int64(n)
		if n > 0 {
			b.failed = 0
		}
		if err == io.EOF && b.got < b.Current.length {
			err = io.ErrUnexpectedEOF
		}
		switch {
		case err == nil, err == io.EOF:
			return n, err
		case n > 0:
			return n, nil // the next Read meets the error again
		}
		if err := b.reopen(err); err != nil {
			return 0, b.Fail(err)
		}
	}
}

// reopen goes on behind a cut, or returns why it does not.
func (b *Body) reopen(cause error) error {
	var t *temporary
	err := b.Cut(cause)
	if !errors.As(err, &t) {
		return err
	}
	if b.failed >= tries {
		return t.error
	}
	b.failed++
	next, err := b.Open(b.Offset)
	if err != nil {
		return errors.Join(t.error, err)
	}
	if next.etag != b.Current.etag || next.etag == "" {
		_ = next.Close() // nothing of it is wanted
		return errors.Join(t.error, errors.New("the rest cannot be read: the object is not the same any more"))
	}
	_ = b.Current.Close() // it is broken
	b.Current, b.got = next, 0
	return nil
}

// Close closes what is open.
func (b *Body) Close() error { return b.Current.Close() }
