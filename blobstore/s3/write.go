package s3

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/harbordb/harbordb/blobstore"
	"github.com/harbordb/harbordb/blobstore/remote"
)

// writerHeader names the writer of an object. When the answer to a request was
// lost, it tells our own object from another's.
const writerHeader = "X-Amz-Meta-Harbordb-Writer"

// abortTime bounds the removal of an upload whose context has ended.
const abortTime = 30 * time.Second

// Create starts an object. Up to PartSize it is one request, sent by Commit;
// above, parts of that size are sent as they fill, and Commit puts them
// together.
//
// New looks for the key first, and then asks the server to write only if the
// key is free (If-None-Match). Servers that do not know that condition may let
// two writers that commit at the same moment both succeed.
func (s *Store) Create(ctx context.Context, key string, mode blobstore.PutMode) (blobstore.ObjectWriter, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := blobstore.CheckNewKey(key); err != nil {
		return nil, err
	}
	w := &writer{ctx: ctx, store: s, key: key, mode: mode, id: rand.Text()}
	if err := w.free(); err != nil {
		return nil, err
	}
	return w, nil
}

// Delete removes an object.
func (s *Store) Delete(ctx context.Context, key string) error {
	if err := check(ctx, key); err != nil {
		return err
	}
	err := s.do(ctx, request{verb: "delete", method: http.MethodDelete, key: key})
	if codeOf(err) != "NoSuchBucket" && errors.Is(err, blobstore.ErrNotFound) {
		return nil
	}
	return err
}

// Sweep aborts a multipart upload that Uploads named.
func (s *Store) Sweep(ctx context.Context, u blobstore.Upload) error {
	if err := check(ctx, u.Key); err != nil {
		return err
	}
	if u.ID == "" { // a request without it would delete the object
		return fmt.Errorf("sweep %s: %w: no upload is named", u.Key, blobstore.ErrKey)
	}
	return s.abort(ctx, u.Key, u.ID)
}

func (s *Store) abort(ctx context.Context, key, id string) error {
	query := url.Values{"uploadId": {id}}
	err := s.do(ctx, request{verb: "abort the upload of", method: http.MethodDelete, key: key, query: query})
	if codeOf(err) != "NoSuchBucket" && errors.Is(err, blobstore.ErrNotFound) {
		return nil
	}
	return err
}

// writer is one object under way.
type writer struct {
	ctx    context.Context
	store  *Store
	key    string
	mode   blobstore.PutMode
	id     string // of this writer
	buffer []byte // what no request has carried yet, at most PartSize
	upload string // the multipart upload, "" while there is none
	etags  []string
	failed error // of the first request that failed
	ended  bool
}

var errEnded = errors.New("the writer has been committed or aborted already")

func (w *writer) usable() error {
	switch {
	case w.ended:
		return w.store.fail("write", w.key, errEnded)
	case w.failed != nil:
		return w.failed
	}
	return w.ctx.Err()
}

// Write takes bytes, and sends a part whenever there is more than one.
func (w *writer) Write(p []byte) (int, error) {
	if err := w.usable(); err != nil {
		return 0, err
	}
	for written := 0; ; {
		n := min(len(p)-written, w.store.config.PartSize-len(w.buffer))
		w.buffer = append(w.buffer, p[written:written+n]...)
		if written += n; written == len(p) {
			return written, nil
		}
		if w.failed = w.sendPart(); w.failed != nil {
			return written, w.failed
		}
	}
}

// sendPart sends what is buffered as a part.
func (w *writer) sendPart() error {
	if w.upload == "" {
		if err := w.start(); err != nil {
			return err
		}
	}
	number := len(w.etags) + 1
	if number > mostParts {
		return w.store.fail("write", w.key, fmt.Errorf("the object is larger than %d parts of %d bytes", mostParts, w.store.config.PartSize))
	}
	var etag string
	err := w.store.do(w.ctx, request{
		verb: "write part " + strconv.Itoa(number) + " of", method: http.MethodPut, key: w.key, body: w.buffer,
		query: url.Values{"partNumber": {strconv.Itoa(number)}, "uploadId": {w.upload}},
		accept: func(resp *http.Response) error {
			if etag = resp.Header.Get("Etag"); etag == "" {
				return errors.New("the server gave the part no ETag")
			}
			return nil
		},
	})
	if err != nil {
		return err
	}
	w.etags = append(w.etags, strings.Trim(etag, `"`))
	w.buffer = w.buffer[:0]
	return nil
}

// start begins a multipart upload.
func (w *writer) start() error {
	var body []byte
	err := w.store.do(w.ctx, request{
		verb: "start the upload of", method: http.MethodPost, key: w.key,
		query: url.Values{"uploads": {""}}, header: w.header(), accept: w.store.whole(&body),
	})
	if err != nil {
		return err
	}
	var told struct {
		XMLName  xml.Name `xml:"InitiateMultipartUploadResult"`
		UploadID string   `xml:"UploadId"`
	}
	if err := xml.Unmarshal(body, &told); err != nil || told.UploadID == "" {
		return w.store.fail("start the upload of", w.key, errors.Join(errors.New("the server names no upload"), err))
	}
	w.upload = told.UploadID
	return nil
}

func (w *writer) header() http.Header {
	return http.Header{"Content-Type": {"application/octet-stream"}, writerHeader: {w.id}}
}

// Commit makes the object, and returns nil when the server has it. After an
// error nothing of this writer is left, as far as the server can be reached;
// only if the answer to the last request was lost may the object be there.
func (w *writer) Commit() error {
	err := w.usable()
	if err == nil {
		err = w.finish()
	}
	if err != nil {
		return errors.Join(err, w.Abort())
	}
	w.end()
	return nil
}

func (w *writer) end() {
	w.ended, w.buffer = true, nil
}

func (w *writer) finish() error {
	if w.upload != "" && len(w.buffer) > 0 {
		if err := w.sendPart(); err != nil {
			return err
		}
	}
	if err := w.free(); err != nil {
		return err
	}
	last := w.put
	if w.upload != "" {
		last = w.complete
	}
	conditional := w.mode == blobstore.New && !w.store.noConditions.Load()
	err := last(w.condition(conditional))
	if conditional && statusOf(err) == http.StatusNotImplemented {
		w.store.noConditions.Store(true)
		err = last(nil)
	}
	switch statusOf(err) {
	case http.StatusPreconditionFailed, http.StatusNotFound, http.StatusConflict:
		return w.outcome(err)
	}
	return err
}

// outcome says what became of the object when the last request was refused:
// another writer was first, or the answer to an earlier try of this very
// request was lost.
func (w *writer) outcome(refused error) error {
	_, header, err := w.store.head(w.ctx, w.key)
	switch {
	case err == nil && header.Get(writerHeader) == w.id:
		return nil
	case err == nil && w.mode == blobstore.New:
		return w.store.fail("create", w.key, blobstore.ErrExists)
	}
	return refused
}

func (w *writer) condition(wanted bool) http.Header {
	if !wanted {
		return nil
	}
	return http.Header{"If-None-Match": {"*"}}
}

// free returns ErrExists if the object must be new and is not.
func (w *writer) free() error {
	if w.mode != blobstore.New {
		return nil
	}
	_, err := w.store.Head(w.ctx, w.key)
	switch {
	case err == nil:
		return w.store.fail("create", w.key, blobstore.ErrExists)
	case errors.Is(err, blobstore.ErrNotFound):
		return nil
	}
	return err
}

// put sends a small object.
func (w *writer) put(condition http.Header) error {
	header := w.header()
	for name, values := range condition {
		header[name] = values
	}
	return w.store.do(w.ctx, request{verb: "write", method: http.MethodPut, key: w.key, header: header, body: w.buffer})
}

// complete puts the parts together.
func (w *writer) complete(condition http.Header) error {
	var list bytes.Buffer
	list.WriteString("<CompleteMultipartUpload>")
	for i, etag := range w.etags {
		fmt.Fprintf(&list, "<Part><PartNumber>%d</PartNumber><ETag>", i+1)
		_ = xml.EscapeText(&list, []byte(etag)) // a buffer takes everything
		list.WriteString("</ETag></Part>")
	}
	list.WriteString("</CompleteMultipartUpload>")
	return w.store.do(w.ctx, request{
		verb: "complete the upload of", method: http.MethodPost, key: w.key, body: list.Bytes(),
		query: url.Values{"uploadId": {w.upload}}, header: condition, accept: w.store.completed,
	})
}

// completed reads the answer to a completion, which begins with a status of
// success before the server knows whether it will be one.
func (s *Store) completed(resp *http.Response) error {
	var body []byte
	if err := s.whole(&body)(resp); err != nil {
		return err
	}
	var root struct{ XMLName xml.Name }
	if err := xml.Unmarshal(body, &root); err != nil {
		return remote.Temporary(fmt.Errorf("read the server's answer: %w", err))
	}
	if root.XMLName.Local != "Error" {
		return nil
	}
	e := parseError(http.StatusInternalServerError, body)
	e.message = s.redact(e.message)
	switch e.code {
	case "InternalError", "SlowDown", "ServiceUnavailable":
		return remote.Temporary(e)
	case "NoSuchUpload":
		e.status = http.StatusNotFound
	case "PreconditionFailed":
		e.status = http.StatusPreconditionFailed
	}
	return e
}

// Abort removes what has been sent. After a Commit or an Abort it does
// nothing. It works on when the writer's context has ended, for a bounded
// time.
func (w *writer) Abort() error {
	if w.ended {
		return nil
	}
	w.end()
	if w.upload == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(w.ctx), abortTime)
	defer cancel()
	return w.store.abort(ctx, w.key, w.upload)
}
