package snapshots

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"filippo.io/age"
	"github.com/harbordb/harbordb/blobstore"
	"github.com/harbordb/harbordb/internal/progress"
	"golang.org/x/sync/errgroup"
)

// Verification is what Verify found.
type Verification struct {
	ID      ID    `json:"id"`
	Objects int   `json:"objects"`
	Bytes   int64 `json:"bytes"` // stored
	Rows    int64 `json:"rows"`
	// Depth says what was looked at: without its key, an encrypted snapshot
	// shows no more than that its bytes are those that were written.
	Depth    Depth    `json:"depth"`
	Problems []string `json:"problems"` // empty: every byte is as it was written
}

// Depth is how much of a snapshot was checked.
type Depth string

// The depths of a verification.
const (
	DepthBytes    Depth = "bytes"    // sizes and SHA-256 of all objects
	DepthContents Depth = "contents" // and all rows, fingerprints and renderings
)

// Renderer renders the model of a database as the two scripts for a restore
// by hand.
type Renderer func(model []byte) (pre, post string, err error)

// Verify reads a snapshot back, all of it: the manifest against SHA256SUMS,
// every object against its size and SHA-256, every part against its rows, and
// every table against its fingerprint; and the scripts against a new
// rendering of the model, where one of the same revision can be made. It collects what is wrong and returns an error only
// where it could not look; a key that does not fit is such an error. Without a
// key, of an encrypted snapshot the bytes are checked alone. renderer returns
// the renderer of an engine.
func Verify(ctx context.Context, store blobstore.Reader, id ID, renderer func(engine string) (Renderer, error), jobs int, report progress.Reporter, keys ...age.Identity) (Verification, error) {
	v := Verification{ID: id, Depth: DepthContents, Problems: []string{}}
	m, err := Load(ctx, store, id)
	if err == nil && m.Encryption != nil && len(keys) == 0 {
		v.Depth = DepthBytes
	}
	s := &Snapshot{Manifest: m, store: store, keys: keys}
	if err == nil && m.Encryption != nil && len(keys) > 0 {
		err = s.unlock(ctx)
	}
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
	if v.Depth == DepthBytes {
		err = v.checkBytes(ctx, s, missing, jobs, report)
	} else {
		err = v.checkContents(ctx, s, renderer, missing, jobs, report)
	}
	slices.Sort(v.Problems)
	return v, err
}

// checkBytes proves every object without looking into it.
func (v *Verification) checkBytes(ctx context.Context, s *Snapshot, missing map[string]bool, jobs int, report progress.Reporter) error {
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(max(jobs, 1))
	for _, o := range s.Manifest.Objects {
		if missing[o.Name] {
			continue // told already
		}
		group.Go(func() error {
			h, err := openHashed(ctx, s.store, s.Manifest.ID, o)
			if err != nil {
				return fmt.Errorf("snapshot %s: read %s: %w", s.Manifest.ID, o.Name, err)
			}
			defer h.body.Close()
			err = h.prove()
			report.Add(h.size)
			if errors.Is(err, ErrCorrupt) {
				mu.Lock()
				defer mu.Unlock()
				v.problem("snapshot %s: %s: %v", s.Manifest.ID, o.Name, err)
				return nil
			}
			return err
		})
	}
	return group.Wait()
}

func (v *Verification) checkContents(ctx context.Context, s *Snapshot, renderer func(engine string) (Renderer, error), missing map[string]bool, jobs int, report progress.Reporter) error {
	render, err := renderer(s.Manifest.Source.Engine)
	if err != nil {
		return err
	}
	databases := s.Manifest.Contents.Databases
	for i := range databases {
		if err := v.checkScripts(ctx, s, &databases[i], render, missing); err != nil {
			return err
		}
		rows := rowCheck{s: s, d: &databases[i], missing: missing, report: report, v: v}
		if err := rows.checkRows(ctx, jobs); err != nil {
			return err
		}
	}
	return nil
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
// Scripts that another revision wrote need not be the same.
func (v *Verification) checkScripts(ctx context.Context, s *Snapshot, d *Database, render Renderer, missing map[string]bool) error {
	var texts [3][]byte
	for i, name := range []string{d.Model, d.Pre, d.Post} {
		if missing[s.Manifest.storedName(name)] {
			return nil // told already
		}
		data, err := s.Object(ctx, name)
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
	if s.Manifest.Rendering != Rendering {
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

// rowCheck is what several goroutines find out about the rows of a database.
type rowCheck struct {
	s       *Snapshot
	d       *Database
	missing map[string]bool
	report  progress.Reporter

	mu     sync.Mutex
	v      *Verification
	sums   []Fingerprint
	broken []bool // tables with a part that could not be read
}

// checkRows unpacks every part of every table, jobs at a time.
func (c *rowCheck) checkRows(ctx context.Context, jobs int) error {
	c.sums, c.broken = make([]Fingerprint, len(c.d.Tables)), make([]bool, len(c.d.Tables))
	type work struct {
		table int
		part  Part
	}
	var queue []work
	for t := range c.d.Tables {
		for _, p := range c.d.Tables[t].Parts {
			queue = append(queue, work{t, p})
		}
	}
	var next atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	for range max(jobs, 1) {
		group.Go(func() error {
			r, err := c.s.Parts()
			if err != nil {
				return err
			}
			defer r.Close()
			for i := next.Add(1) - 1; i < int64(len(queue)); i = next.Add(1) - 1 {
				if err := c.checkPart(ctx, r, queue[i].table, queue[i].part); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for i := range c.d.Tables {
		if t := &c.d.Tables[i]; !c.broken[i] && c.sums[i].String() != t.Fingerprint {
			c.v.problem("table %s%s has the fingerprint %s, not %s", t.FullName(), c.inDatabase(), c.sums[i], t.Fingerprint)
		}
	}
	return nil
}

// inDatabase says which database a table is in, where there are several.
func (c *rowCheck) inDatabase() string {
	if len(c.s.Manifest.Contents.Databases) == 1 {
		return ""
	}
	return " of database " + c.d.Name
}

func (c *rowCheck) checkPart(ctx context.Context, r *PartReader, table int, part Part) error {
	var tally Tally
	err := error(nil)
	missing := c.missing[c.s.Manifest.storedName(part.Object)]
	if !missing { // told already where it is
		tally, err = r.drain(ctx, part, c.report)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if errors.Is(err, ErrCorrupt) {
		c.v.problem("%v", err)
		err = nil
		c.broken[table] = true
	}
	c.broken[table] = c.broken[table] || missing
	c.sums[table] = c.sums[table].Add(tally.Fingerprint)
	c.v.Rows += tally.Rows
	return err
}

// drain reads a whole part and returns what it amounts to.
func (r *PartReader) drain(ctx context.Context, part Part, report progress.Reporter) (Tally, error) {
	if err := r.Open(ctx, part); err != nil {
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
