package snapshots

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/harbordb/harbordb/blobstore"
	"github.com/harbordb/harbordb/internal/fault"
)

const prefix = "snapshots/"

// Key returns the store's key of an object of a snapshot.
func Key(id ID, object string) string { return prefix + string(id) + "/" + object }

// ErrCorrupt: what is stored is not what was written.
var ErrCorrupt = errors.New("snapshot is corrupt")

// Entry is one folder below snapshots/.
type Entry struct {
	ID       ID        `json:"id"`
	Manifest *Manifest `json:"manifest,omitempty"`
	Size     int64     `json:"size"` // bytes stored, all objects
	// Problem says why the manifest cannot be used; empty for a good one.
	Problem string `json:"problem,omitempty"`
	// Unfinished: there is no manifest, so it is no snapshot: a backup is
	// writing it (Running) or was killed while it did.
	Unfinished bool `json:"unfinished,omitempty"`
	Running    bool `json:"running,omitempty"`
}

// Good tells whether the entry is a snapshot whose manifest can be used.
func (e Entry) Good() bool { return e.Manifest != nil && e.Problem == "" }

// List returns every folder of the store, oldest first. A snapshot whose
// manifest cannot be used is listed with its problem, not left out. Leases
// are judged by now.
func List(ctx context.Context, store blobstore.Reader, now time.Time) ([]Entry, error) {
	entries, manifests, err := listFolders(ctx, store)
	if err != nil {
		return nil, fmt.Errorf("list snapshots: %w", err)
	}
	for i := range entries {
		e := &entries[i]
		if !manifests[e.ID] {
			if err := e.settle(ctx, store, now); err != nil {
				return nil, err
			}
			if e.Unfinished {
				continue
			}
		}
		m, err := Load(ctx, store, e.ID)
		switch {
		case errors.Is(err, blobstore.ErrNotFound) && !errors.Is(err, ErrCorrupt): // removed since it was listed
			e.Unfinished = true
		case err != nil && ctx.Err() != nil:
			return nil, err
		case err != nil:
			e.Problem = err.Error()
		default:
			e.Manifest = m
		}
	}
	slices.SortFunc(entries, byAge)
	return entries, nil
}

// byAge orders by the second that is in the IDs, and within it by the moment.
func byAge(a, b Entry) int {
	return cmp.Or(strings.Compare(a.ID.second(), b.ID.second()), a.moment().Compare(b.moment()), strings.Compare(string(a.ID), string(b.ID)))
}

// moment is the one that the data shows; zero where there is no manifest.
func (e Entry) moment() time.Time {
	if e.Manifest == nil {
		return time.Time{}
	}
	return e.Manifest.Time
}

// settle decides what a folder is in which no manifest was listed. The lease
// is looked at before the manifest: a backup writes its manifest and then lets
// go of its lease, so without a lease the manifest is there or never will be.
func (e *Entry) settle(ctx context.Context, store blobstore.Reader, now time.Time) error {
	running, err := leaseAlive(ctx, store, e.ID, now)
	if err != nil {
		return err
	}
	e.Unfinished, e.Running = true, running
	if running {
		return nil
	}
	_, err = store.Head(ctx, Key(e.ID, ManifestName))
	if errors.Is(err, blobstore.ErrNotFound) {
		return nil
	}
	e.Unfinished = err != nil
	return err
}

func listFolders(ctx context.Context, store blobstore.Reader) ([]Entry, map[ID]bool, error) {
	var entries []Entry
	manifests := map[ID]bool{}
	err := store.List(ctx, blobstore.Range{Prefix: prefix}, func(o blobstore.Object) error {
		folder, object, ok := strings.Cut(strings.TrimPrefix(o.Key, prefix), "/")
		id, err := ParseID(folder)
		if !ok || err != nil {
			return nil // not ours
		}
		if n := len(entries); n == 0 || entries[n-1].ID != id {
			entries = append(entries, Entry{ID: id})
		}
		entries[len(entries)-1].Size += o.Size
		if object == ManifestName {
			manifests[id] = true
		}
		return nil
	})
	return entries, manifests, err
}

// Load reads and validates the manifest of a snapshot, and compares its bytes
// with SHA256SUMS, so that a manifest changed by anything but a forger is
// refused with ErrCorrupt.
func Load(ctx context.Context, store blobstore.Reader, id ID) (*Manifest, error) {
	head, err := loadHead(ctx, store, id)
	if err != nil {
		return nil, err
	}
	return head.parse(id)
}

// head is what a snapshot begins with: the two files that vouch for all others.
type head struct{ manifest, sums []byte }

func loadHead(ctx context.Context, store blobstore.Reader, id ID) (h head, err error) {
	if h.manifest, err = readAll(ctx, store, Key(id, ManifestName)); err != nil {
		return h, fmt.Errorf("read manifest of snapshot %s: %w", id, err)
	}
	if h.sums, err = readAll(ctx, store, Key(id, SumsName)); errors.Is(err, blobstore.ErrNotFound) {
		err = fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	if err != nil {
		return h, fmt.Errorf("snapshot %s: read %s: %w", id, SumsName, err)
	}
	return h, nil
}

// parse validates the head of the snapshot with that ID.
func (h head) parse(id ID) (*Manifest, error) {
	m, err := ParseManifest(h.manifest)
	if newer := (*NewerFormatError)(nil); errors.As(err, &newer) {
		return nil, fault.Refusedf("snapshot %s: %w", id, err).WithHint("use the harbordb release that wrote it, or a later one")
	}
	if err != nil {
		return nil, fmt.Errorf("snapshot %s: %w: %w", id, ErrCorrupt, err)
	}
	if m.ID != id {
		return nil, fmt.Errorf("snapshot %s: %w: its manifest belongs to %s", id, ErrCorrupt, m.ID)
	}
	if !bytes.Equal(h.sums, Sums(m, h.manifest)) {
		return nil, fmt.Errorf("snapshot %s: %w: %s and %s do not agree", id, ErrCorrupt, ManifestName, SumsName)
	}
	return m, nil
}

// Sums renders SHA256SUMS for a manifest whose own bytes are given, in the
// form that sha256sum -c reads, ascending by name.
func Sums(m *Manifest, manifest []byte) []byte {
	objects := slices.Clone(m.Objects)
	sum := sha256.Sum256(manifest)
	objects = append(objects, Object{Name: ManifestName, SHA256: hex.EncodeToString(sum[:])})
	slices.SortFunc(objects, func(a, b Object) int { return strings.Compare(a.Name, b.Name) })
	var b bytes.Buffer
	for _, o := range objects {
		fmt.Fprintf(&b, "%s  %s\n", o.SHA256, o.Name)
	}
	return b.Bytes()
}

func readAll(ctx context.Context, store blobstore.Reader, key string) ([]byte, error) {
	r, err := store.Get(ctx, key, 0)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	data, err := io.ReadAll(io.LimitReader(r, maxManifest+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxManifest {
		return nil, fmt.Errorf("%s is larger than %d bytes", path.Base(key), maxManifest)
	}
	return data, nil
}
