package snapshots

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/harbordb/harbordb/blobstore"
	"github.com/harbordb/harbordb/internal/fault"
	"github.com/harbordb/harbordb/internal/progress"
)

// A snapshot travels as one tar file: <id>/manifest.json, <id>/SHA256SUMS, and
// then its objects in the order of the manifest. The manifest comes first, so
// that who reads the file knows every name, size and digest before the bytes
// come; it is written to the store last.

// Export writes a snapshot to w as a tar file. Every object is proved as it
// passes; what is wrong with it is an error that wraps ErrCorrupt, and what was
// written by then is not to be used.
func Export(ctx context.Context, store blobstore.Reader, id ID, w io.Writer, report progress.Reporter) (*Manifest, error) {
	h, err := loadHead(ctx, store, id)
	if err != nil {
		return nil, err
	}
	m, err := h.parse(id)
	if err != nil {
		return nil, err
	}
	report.Begin("export", m.stored(), progress.Bytes)
	out := tar.NewWriter(w)
	for name, data := range h.files {
		if err := out.WriteHeader(m.tarHeader(name, int64(len(data)))); err != nil {
			return nil, fmt.Errorf("export snapshot %s: %w", id, err)
		}
		if _, err := out.Write(data); err != nil {
			return nil, fmt.Errorf("export snapshot %s: %w", id, err)
		}
	}
	for _, o := range m.Objects {
		if err := m.exportObject(ctx, store, o, out); err != nil {
			return nil, fmt.Errorf("export %s of snapshot %s: %w", o.Name, id, err)
		}
		report.Add(o.Size)
	}
	if err := out.Close(); err != nil {
		return nil, fmt.Errorf("export snapshot %s: %w", id, err)
	}
	return m, nil
}

// files yields the files of a head with their names, the manifest first.
func (h head) files(yield func(name string, data []byte) bool) {
	_ = yield(ManifestName, h.manifest) && yield(SumsName, h.sums)
}

// stored returns the size of all objects.
func (m *Manifest) stored() (bytes int64) {
	for _, o := range m.Objects {
		bytes += o.Size
	}
	return bytes
}

func (m *Manifest) tarHeader(name string, size int64) *tar.Header {
	return &tar.Header{Typeflag: tar.TypeReg, Name: string(m.ID) + "/" + name, Size: size, Mode: 0o600, ModTime: m.Time.Truncate(time.Second)}
}

func (m *Manifest) exportObject(ctx context.Context, store blobstore.Reader, o Object, out *tar.Writer) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	h, err := openHashed(ctx, store, m.ID, o)
	if errors.Is(err, blobstore.ErrNotFound) {
		return fmt.Errorf("%w: it is missing: %w", ErrCorrupt, err)
	}
	if err != nil {
		return err
	}
	defer h.body.Close()
	if err := out.WriteHeader(m.tarHeader(o.Name, o.Size)); err != nil {
		return err
	}
	if _, err := io.Copy(out, h); err != nil {
		return err
	}
	return h.prove()
}

// Import is a snapshot that came in.
type Import struct {
	Manifest *Manifest
	// Already: the very same snapshot was there, and nothing was done.
	Already bool
}

// ReadImport reads what Export wrote and adds the snapshot to the store. No
// name, size or digest is trusted: everything must be what the manifest at
// the beginning says, and the snapshot exists only when all of it was proved.
// What is wrong with the file is a fault of kind Refused, and so is an ID
// that another snapshot of the store has. Leases are judged by now.
func ReadImport(ctx context.Context, store blobstore.Store, r io.Reader, now time.Time, report progress.Reporter) (Import, error) {
	in := tarball{r: tar.NewReader(r)}
	h, m, err := in.head()
	if err != nil {
		return Import{}, badArchive(err)
	}
	there, err := vacant(ctx, store, m.ID, h, now)
	if err != nil || there {
		return Import{Manifest: m, Already: there}, err
	}
	if err := checkRoom(store, m); err != nil {
		return Import{}, err
	}
	w, err := NewWriter(ctx, store, m.ID, nil)
	if err != nil {
		return Import{}, err
	}
	report.Begin("import", m.stored(), progress.Bytes)
	err = in.objects(ctx, w, m, report)
	if err == nil {
		err = w.commit(ctx, m, h.manifest)
	}
	if err != nil {
		if left := w.Abort(ctx); left != nil {
			return Import{}, fmt.Errorf("%w (and its folder could not be removed: %v)", err, left)
		}
		return Import{}, err
	}
	return Import{Manifest: m}, nil
}

// badArchive makes a refusal of what is wrong with the file itself.
func badArchive(err error) error {
	if newer := (*NewerFormatError)(nil); errors.As(err, &newer) {
		return err
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("it ends too early")
	}
	return fault.Refusedf("this is no whole export of a snapshot: %w", err).
		WithHint("harbordb snapshots export ID FILE writes one; nothing was changed")
}

// vacant looks whether an ID is free. It returns true where the same snapshot
// is there, and removes what a killed process left.
func vacant(ctx context.Context, store blobstore.Store, id ID, h head, now time.Time) (there bool, err error) {
	data, err := readAll(ctx, store, Key(id, ManifestName))
	switch {
	case err == nil && bytes.Equal(data, h.manifest):
		return true, nil
	case err == nil:
		return false, fault.Refusedf("the store has another snapshot under the ID %s", id).WithHint("harbordb snapshots show %s", id)
	case !errors.Is(err, blobstore.ErrNotFound):
		return false, fmt.Errorf("look for snapshot %s: %w", id, err)
	}
	e := Entry{ID: id}
	if err := e.settle(ctx, store, now); err != nil {
		return false, err
	}
	if !e.Unfinished || e.Running {
		return false, fault.Refusedf("another process is writing snapshot %s, or was killed less than %d minutes ago", id, int(leaseDead.Minutes()))
	}
	return false, Remove(ctx, store, id)
}

// checkRoom refuses what cannot fit, where the store knows its room.
func checkRoom(store blobstore.Store, m *Manifest) error {
	on, ok := store.(interface {
		Free() (bytes int64, known bool)
	})
	if !ok {
		return nil
	}
	if free, known := on.Free(); known && free < m.stored() {
		return fault.Refusedf("snapshot %s has %d bytes, %s has room for %d", m.ID, m.stored(), store, free)
	}
	return nil
}

// tarball reads an export.
type tarball struct{ r *tar.Reader }

// next returns the next file. Folders are passed over; anything else, and a
// file with holes, is no part of an export.
func (t tarball) next() (*tar.Header, error) {
	for {
		h, err := t.r.Next()
		if err != nil {
			return nil, err
		}
		if h.Typeflag == tar.TypeDir {
			continue
		}
		sparse := false
		for record := range h.PAXRecords {
			sparse = sparse || strings.HasPrefix(record, "GNU.sparse")
		}
		if h.Typeflag != tar.TypeReg || sparse {
			return nil, fmt.Errorf("%q is no plain file", h.Name)
		}
		return h, nil
	}
}

// head reads and validates the manifest and SHA256SUMS.
func (t tarball) head() (h head, m *Manifest, err error) {
	var id ID
	for _, want := range []struct {
		name string
		to   *[]byte
	}{{ManifestName, &h.manifest}, {SumsName, &h.sums}} {
		file, err := t.next()
		if err != nil {
			return h, nil, err
		}
		folder, name, _ := strings.Cut(file.Name, "/")
		if name != want.name || id != "" && folder != string(id) {
			return h, nil, fmt.Errorf("%q stands where %s is expected", file.Name, want.name)
		}
		if id, err = ParseID(folder); err != nil {
			return h, nil, err
		}
		if file.Size > maxManifest {
			return h, nil, fmt.Errorf("%s has %d bytes", file.Name, file.Size)
		}
		if *want.to, err = io.ReadAll(t.r); err != nil {
			return h, nil, err
		}
	}
	m, err = h.parse(id)
	return h, m, err
}

// objects writes every object of the manifest, each exactly once.
func (t tarball) objects(ctx context.Context, w *Writer, m *Manifest, report progress.Reporter) error {
	seen := map[string]bool{}
	for {
		file, err := t.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return badArchive(err)
		}
		name, ours := strings.CutPrefix(file.Name, string(m.ID)+"/")
		o, listed := m.Object(name)
		switch {
		case !ours || !listed:
			return badArchive(fmt.Errorf("%q is not part of snapshot %s", file.Name, m.ID))
		case seen[name]:
			return badArchive(fmt.Errorf("%q is there twice", file.Name))
		case file.Size != o.Size:
			return badArchive(fmt.Errorf("%q has %d bytes, not %d", file.Name, file.Size, o.Size))
		}
		seen[name] = true
		if err := w.copyObject(ctx, o, t.r); err != nil {
			return err
		}
		report.Add(o.Size)
	}
	for _, o := range m.Objects {
		if !seen[o.Name] {
			return badArchive(fmt.Errorf("%s is missing", o.Name))
		}
	}
	return nil
}

// copyObject stores an object as it is, if it is what the manifest says.
func (w *Writer) copyObject(ctx context.Context, want Object, from io.Reader) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	o, err := w.create(ctx, want.Name)
	if err != nil {
		return err
	}
	defer o.stored.out.Abort()
	read := &errReader{r: from}
	if _, err := io.Copy(o.stored, read); err != nil {
		if read.err != nil {
			return badArchive(read.err)
		}
		return fmt.Errorf("write %s of snapshot %s: %w", want.Name, w.id, err)
	}
	if got := hex.EncodeToString(o.stored.sum.Sum(nil)); got != want.SHA256 || o.stored.size != want.Size {
		return badArchive(fmt.Errorf("%s: its SHA-256 is %s, not %s", want.Name, got, want.SHA256))
	}
	return o.commit()
}

// errReader remembers why reading ended, to tell it from a failure to write.
type errReader struct {
	r   io.Reader
	err error
}

func (e *errReader) Read(p []byte) (int, error) {
	n, err := e.r.Read(p)
	if err != nil && err != io.EOF {
		e.err = err
	}
	return n, err
}
