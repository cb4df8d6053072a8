package snapshots

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/harbordb/harbordb/blobstore"
	"github.com/harbordb/harbordb/internal/progress"
	"golang.org/x/sync/errgroup"
)

// Verification is what Verify found.
type Verification struct {
	ID       ID       `json:"id"`
	Objects  int      `json:"objects"`
	Bytes    int64    `json:"bytes"` // stored
	Rows     int64    `json:"rows"`
	Problems []string `json:"problems"` // empty: every byte is as it was written
}

// Renderer renders the model of a database as the two scripts for a restore
// by hand.
type Renderer func(model []byte) (pre, post string, err error)

// Verify reads a snapshot back, all of it: the manifest against SHA256SUMS,
// every object against its size and SHA-256, every part against its rows, and
// every table against its fingerprint; and the scripts against a new
// rendering of the model. It collects what is wrong and returns an error only
// where it could not look. render belongs to the engine of the snapshot.
func Verify(ctx context.Context, store blobstore.Reader, id ID, render Renderer, jobs int, report progress.Reporter) (Verification, error) {
	v := Verification{ID: id, Problems: []string{}}
	m, err := Load(ctx, store, id)
	if errors.Is(err, ErrCorrupt) {
		v.Problems = append(v.Problems, err.Error())
		return v, nil
	}
	if err != nil {
		return v, err
	}
	v.Objects = len(m.Objects)
	missing, err := v.compareListing(ctx, store, m)
	if err != nil {
		return v, err
	}
	report.Begin("verify", v.Bytes, progress.Bytes)
	for i := range m.Contents.Databases {
		d := &m.Contents.Databases[i]
		if err := v.checkScripts(ctx, store, m, d, render, missing); err != nil {
			return v, err
		}
		if err := v.checkRows(ctx, store, m, d, jobs, report); err != nil {
			return v, err
		}
	}
	slices.Sort(v.Problems)
	return v, nil
}

// compareListing finds objects that are missing, that have another size, or
// that belong to nobody.
func (v *Verification) compareListing(ctx context.Context, store blobstore.Reader, m *Manifest) (missing map[string]bool, err error) {
	missing = map[string]bool{}
	for _, o := range m.Objects {
		missing[o.Name] = true
		v.Bytes += o.Size
	}
	folder := Key(m.ID, "")
	err = store.List(ctx, blobstore.Range{Prefix: folder}, func(o blobstore.Object) error {
		name := strings.TrimPrefix(o.Key, folder)
		listed, ok := m.Object(name)
		switch {
		case name == ManifestName || name == SumsName:
		case !ok:
			v.problem("%s is not part of the snapshot", name)
		case listed.Size != o.Size:
			v.problem("%s has %d bytes, not %d", name, o.Size, listed.Size)
		}
		delete(missing, name)
		return nil
	})
	for _, o := range m.Objects {
		if missing[o.Name] {
			v.problem("%s is missing", o.Name)
		}
	}
	return missing, err
}

func (v *Verification) problem(format string, args ...any) {
	v.Problems = append(v.Problems, fmt.Sprintf(format, args...))
}

// checkScripts proves the model and both scripts, and renders the model anew.
func (v *Verification) checkScripts(ctx context.Context, store blobstore.Reader, m *Manifest, d *Database, render Renderer, missing map[string]bool) error {
	var texts [3][]byte
	for i, name := range []string{d.Model, d.Pre, d.Post} {
		if missing[name] {
			return nil // told already
		}
		data, err := ReadObject(ctx, store, m, name)
		if errors.Is(err, ErrCorrupt) {
			v.problem("%v", err)
			return nil
		}
		if err != nil {
			return err
		}
		texts[i] = data
	}
	pre, post, err := render(texts[0])
	if err != nil {
		v.problem("%s: %v", d.Model, err)
		return nil
	}
	if pre != string(texts[1]) {
		v.problem("%s is not what %s says", d.Pre, d.Model)
	}
	if post != string(texts[2]) {
		v.problem("%s is not what %s says", d.Post, d.Model)
	}
	return nil
}

// checkRows unpacks every part of every table, jobs at a time.
func (v *Verification) checkRows(ctx context.Context, store blobstore.Reader, m *Manifest, d *Database, jobs int, report progress.Reporter) error {
	type work struct{ table, part int }
	queue := make(chan work)
	sums := make([]Fingerprint, len(d.Tables))
	broken := make([]bool, len(d.Tables))
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(queue)
		for t := range d.Tables {
			for p := range d.Tables[t].Parts {
				select {
				case queue <- work{t, p}:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
		}
		return nil
	})
	for range max(jobs, 1) {
		group.Go(func() error {
			r, err := NewPartReader(store, m.ID)
			if err != nil {
				return err
			}
			defer r.Close()
			for w := range queue {
				part := d.Tables[w.table].Parts[w.part]
				tally, err := r.drain(ctx, m, part, report)
				mu.Lock()
				if errors.Is(err, ErrCorrupt) {
					v.problem("%v", err)
					broken[w.table], err = true, nil
				}
				sums[w.table] = sums[w.table].Add(tally.Fingerprint)
				v.Rows += tally.Rows
				mu.Unlock()
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for i := range d.Tables {
		if t := &d.Tables[i]; !broken[i] && sums[i].String() != t.Fingerprint {
			v.problem("table %s has the fingerprint %s, not %s", t.FullName(), sums[i], t.Fingerprint)
		}
	}
	return nil
}

// drain reads a whole part and returns what it amounts to.
func (r *PartReader) drain(ctx context.Context, m *Manifest, part Part, report progress.Reporter) (Tally, error) {
	if err := r.Open(ctx, m, part); err != nil {
		return Tally{}, err
	}
	before := int64(0)
	buf := make([]byte, 128<<10)
	for {
		_, err := r.Read(buf)
		report.Add(r.stored.size - before)
		before = r.stored.size
		if err == io.EOF {
			return r.Tally()
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return Tally{}, err
		}
	}
}
