package orphans

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"path"
	"strings"
	"time"

	"github.com/harbordb/harbordb/internal/progress"
	"github.com/harbordb/harbordb/registry"
)

// segmentNames is the algorithm under which the names of Swift's segments are
// kept: they are joined by a digest of the name.
const segmentNames = registry.SHA256

// nameSegments notes that an object has segments.
func (s *scan) nameSegments(o registry.Object) error {
	if o.Segments == "" || s.tree.Root().Segments == "" {
		return nil
	}
	sum := sha256.Sum256([]byte(o.Segments))
	return s.segments.addRaw(segmentNames, sum[:], noRepository, kindSegmentsNamed, nil)
}

// askSegments asks an upload's large object for its segments: they belong to
// an upload under way.
func (s *scan) askSegments(ctx context.Context, name string) error {
	o, err := s.tree.Head(ctx, name)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, registry.ErrNotFound):
		return nil
	case err != nil:
		s.gaps.add(registry.Range{Prefix: name}, err)
		return nil
	}
	return s.nameSegments(o)
}

// wantsSegments reports whether segments are compared with objects: that takes
// a question for each large object.
func (s *scan) wantsSegments() bool {
	return s.opts.Depth != Metadata && s.scope.all() && s.tree.Root().Segments != ""
}

// segmentsFound are the parts of one upload.
type segmentsFound struct {
	name   string
	bytes  int64
	newest time.Time
}

func (f segmentsFound) encode() []byte {
	buf := binary.AppendVarint(nil, f.bytes)
	buf = binary.AppendVarint(buf, f.newest.Unix())
	return append(buf, f.name...)
}

func decodeSegments(payload []byte) segmentsFound {
	size, n := binary.Varint(payload)
	at, m := binary.Varint(payload[n:])
	return segmentsFound{name: string(payload[n+m:]), bytes: size, newest: time.Unix(at, 0).UTC()}
}

// checkSegments finds the segments that no object names. The objects were
// asked before: what has been written since is young.
func (s *scan) checkSegments(ctx context.Context) error {
	if !s.wantsSegments() || s.gaps.any() {
		return nil
	}
	s.begin("segments", 0, progress.Keys)
	if err := s.listSegments(ctx); err != nil {
		return err
	}
	return s.eachDigest([]*spool{s.segments}, func(_ registry.Digest, records []record) error {
		var found *segmentsFound
		for _, r := range records {
			if r.kind() == kindSegmentsNamed {
				return nil
			}
			f := decodeSegments(r.payload())
			found = &f
		}
		if found != nil && s.age(found.newest) >= s.opts.Grace {
			s.addSegments(*found)
		}
		return nil
	})
}

func (s *scan) addSegments(f segmentsFound) {
	item := WasteItem{Key: f.name, Bytes: f.bytes, Since: &f.newest}
	if source, ok := registry.SegmentSource(f.name); ok {
		item.Detail = "of the upload " + source
		_, below, _ := strings.Cut(source, "/docker/registry/v2/")
		item.Repository = registry.ParsePath(below).Repository
	}
	s.waste.add(SwiftOrphanSegments, item)
}

// listSegments records the segments that are there, by upload.
func (s *scan) listSegments(ctx context.Context) error {
	var last segmentsFound
	flush := func() error {
		if last.name == "" {
			return nil
		}
		sum := sha256.Sum256([]byte(last.name))
		return s.segments.addRaw(segmentNames, sum[:], noRepository, kindSegmentsFound, last.encode())
	}
	err := s.tree.Segments(ctx, func(o registry.Object) error {
		s.opts.Progress.Add(1)
		name, _, ok := registry.SplitSegment(o.Key)
		if !ok {
			return nil
		}
		if name != last.name {
			if err := flush(); err != nil {
				return &sinkError{err}
			}
			last = segmentsFound{name: strings.Clone(name)}
		}
		last.bytes += o.Size
		if o.ModTime.After(last.newest) {
			last.newest = o.ModTime
		}
		return nil
	})
	var sink *sinkError
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &sink):
		return sink.err
	case err != nil: // what was listed is there all the same
		s.gaps.add(registry.Range{Prefix: "(segments)"}, err)
	}
	return flush()
}

// maxBeside is how many names beside the tree are looked at for charts.
const maxBeside = 10_000

// checkCharts looks, in a deep scan, for what ChartMuseum has left beside the
// tree: it shared the registry's bucket.
func (s *scan) checkCharts(ctx context.Context) error {
	if s.opts.Depth == Metadata || !s.scope.all() {
		return nil
	}
	seen := 0
	err := s.tree.Beside(ctx, func(o registry.Object) error {
		if seen++; seen > maxBeside {
			return errStop
		}
		if base := path.Base(o.Key); base == "index-cache.yaml" || strings.HasSuffix(base, ".tgz") || strings.HasSuffix(base, ".prov") {
			since := o.ModTime
			s.waste.add(Charts, WasteItem{Key: o.Key, Bytes: o.Size, Since: &since})
		}
		return nil
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil && !errors.Is(err, errStop) {
		s.gaps.add(registry.Range{Prefix: "(beside the tree)"}, err)
	}
	return nil
}
