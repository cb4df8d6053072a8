package orphans

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/harbordb/harbordb/internal/progress"
	"github.com/harbordb/harbordb/registry"
)

// readers is how many blobs are read at a time: few large reads use a network
// as well as many.
const readers = 8

// verifyData reads and hashes every blob, in a scan of depth Data.
func (s *scan) verifyData(ctx context.Context) error {
	if s.opts.Depth != Data {
		return nil
	}
	s.begin("data", s.count.blobBytes.Load(), progress.Bytes)
	v := &verifier{scan: s, pace: newPace(s.opts.BytesPerSecond)}
	defer v.pace.stop()
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(readers)
	err := v.eachBlob(ctx, func(d registry.Digest) {
		work.Go(func() error { return v.verify(ctx, d) })
	})
	if err := errors.Join(work.Wait(), err); err != nil {
		return err
	}
	return v.report()
}

type verifier struct {
	scan *scan
	pace *pace

	mu  sync.Mutex
	bad []registry.Digest
}

// eachBlob calls f for every blob of the scan's scope.
func (v *verifier) eachBlob(ctx context.Context, f func(registry.Digest)) error {
	s := v.scan
	if s.scope.all() {
		return s.listRange(ctx, registry.Range{Prefix: registry.BlobsFolder}, func(o registry.Object) error {
			if p := registry.ParsePath(o.Key); p.Kind == registry.Blob && !o.Irregular {
				f(cloneDigest(p.Digest))
			}
			return nil
		})
	}
	return s.eachDigest(s.joined(), func(d registry.Digest, records []record) error {
		if slices.ContainsFunc(records, func(r record) bool { return r.kind() == kindRevision || r.kind() == kindRef }) {
			f(d)
		}
		return ctx.Err()
	})
}

// verify hashes one blob.
func (v *verifier) verify(ctx context.Context, d registry.Digest) error {
	h, ok := d.NewHash()
	if !ok {
		return nil
	}
	s := v.scan
	name := registry.BlobPath(d)
	body, err := s.tree.Get(ctx, name)
	if errors.Is(err, registry.ErrNotFound) {
		return nil // deleted since; if it is needed, the join has seen it
	}
	if err == nil {
		var n int64
		n, err = io.Copy(h, &paced{ctx: ctx, body: body, verifier: v})
		err = errors.Join(err, body.Close())
		s.count.hashedBytes.Add(n)
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		s.gaps.add(registry.Range{Prefix: name}, err)
		return nil
	}
	s.count.hashedBlobs.Add(1)
	if !slices.Equal(h.Sum(nil), rawDigest(nil, d)) {
		v.mu.Lock()
		v.bad = append(v.bad, d)
		v.mu.Unlock()
	}
	return nil
}

// report makes suspects of the blobs that do not hash to their names, unless
// something else is wrong with them that says as much.
func (v *verifier) report() error {
	if len(v.bad) == 0 {
		return nil
	}
	known := make(map[registry.Digest]bool)
	for _, x := range v.scan.suspects.list {
		switch x.code {
		case ManifestEmpty, ManifestCorrupt, BlobSize, SwiftHollow:
			known[x.digest] = true
		}
	}
	bad := make(map[registry.Digest]bool)
	for _, d := range v.bad {
		if !known[d] {
			bad[d] = true
		}
	}
	err := v.scan.eachDigest(v.scan.joined(), func(d registry.Digest, records []record) error {
		if bad[d] {
			delete(bad, d)
			v.add(d, records)
		}
		return nil
	})
	for d := range bad {
		v.add(d, nil)
	}
	return err
}

// add makes a suspect of a corrupt blob for whoever needs it.
func (v *verifier) add(d registry.Digest, records []record) {
	j := judge{scan: v.scan}
	x := suspect{digest: d, key: registry.BlobPath(d), want: registry.SizeUnknown, got: registry.SizeUnknown}
	live, users := j.needing(records)
	switch {
	case len(live) > 0:
		x.code, x.repos, x.manifest = ManifestCorrupt, live, true
	case len(users) > 0:
		x.code, x.repos = BlobCorrupt, users
	default:
		v.scan.notes.add(BlobCorrupt, "unused: "+v.scan.tree.Key(x.key))
		return
	}
	v.scan.suspects.add(x)
}

// needing returns the repositories in which records make their digest a live
// manifest, and those whose manifests refer to it.
func (j *judge) needing(records []record) (live, users []uint32) {
	for i := 0; i < len(records); {
		end := i + 1
		for end < len(records) && records[end].repo() == records[i].repo() {
			end++
		}
		if records[i].repo() != noRepository {
			j.readRepo(records[i:end])
			if j.isLive() {
				live = append(live, j.repo.id)
			}
			if j.repo.config || j.repo.layers || j.repo.child {
				users = append(users, j.repo.id)
			}
		}
		i = end
	}
	return live, users
}

// paced reads a body no faster than the pace, and reports what it has read.
type paced struct {
	ctx      context.Context
	body     io.Reader
	verifier *verifier
}

func (p *paced) Read(buf []byte) (int, error) {
	n, err := p.body.Read(buf)
	p.verifier.scan.opts.Progress.Add(int64(n))
	if wait := p.verifier.pace.take(p.ctx, int64(n)); wait != nil {
		return n, fmt.Errorf("read at a bounded pace: %w", wait)
	}
	return n, err
}

// pace bounds how many bytes all readers together read in a second. A nil
// ticker means no bound.
type pace struct {
	ticker  *time.Ticker
	portion int64 // bytes for each tick

	mu   sync.Mutex
	left int64
}

// paceTicks are the portions of a second.
const paceTicks = 20

func newPace(bytesPerSecond int64) *pace {
	if bytesPerSecond <= 0 {
		return &pace{}
	}
	return &pace{ticker: time.NewTicker(time.Second / paceTicks), portion: max(bytesPerSecond/paceTicks, 1)}
}

func (p *pace) stop() {
	if p.ticker != nil {
		p.ticker.Stop()
	}
}

// take waits until n more bytes may have been read.
func (p *pace) take(ctx context.Context, n int64) error {
	if p.ticker == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.left -= n; p.left < 0; p.left += p.portion {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-p.ticker.C:
		}
	}
	return nil
}
