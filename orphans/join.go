package orphans

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/harbordb/harbordb/internal/progress"
	"github.com/harbordb/harbordb/registry"
)

// object is what a listing, or a question about one name, says of a blob.
type object struct {
	exists  bool
	size    int64 // SizeUnknown where only asking would tell
	modTime time.Time
	// hollow is a large object of Swift whose segments are gone.
	hollow bool
	name   string // below the root
}

// joinBlobs lists blobs/ and compares it with the records, digest by digest.
func (s *scan) joinBlobs(ctx context.Context) error {
	expected, err := s.expectedBlobs()
	if err != nil {
		return err
	}
	s.begin("blobs", expected, progress.Keys)
	asks, ctx := errgroup.WithContext(ctx)
	asks.SetLimit(s.opts.Gets)
	list := shards(shardCount(s.facts.bytes.Load()+s.refs.bytes.Load(), s.estimateBlobs(), s.opts.Split))
	err = s.eachShard(ctx, list, func(ctx context.Context, sh shard, b *batch) error {
		j := &join{scan: s, shard: sh, asks: asks, batch: b}
		defer j.pending.Wait() // its questions live no longer than ctx
		if !s.scope.all() {
			return j.ask(ctx)
		}
		return j.list(ctx)
	})
	return errors.Join(asks.Wait(), err)
}

// estimateBlobs guesses how many blobs there are before they are listed: each
// is linked in some repository.
func (s *scan) estimateBlobs() int64 {
	return s.count.layerLinks.Load() + s.count.revisions.Load()
}

// join compares one shard's records with the listing. Both are in the same
// order.
type join struct {
	scan  *scan
	shard shard
	asks  *errgroup.Group // questions about single objects, beside the listing
	// pending are the shard's own questions.
	pending sync.WaitGroup

	algorithms []string
	batch      *batch
	at         int // the first record that has not been looked at
	judge      judge
	keys       int64
}

// list joins with the listing of the shard's ranges.
func (j *join) list(ctx context.Context) error {
	if err := j.begin(ctx); err != nil {
		return err
	}
	for _, in := range j.shard.ranges() {
		err := j.scan.listRange(ctx, in, func(o registry.Object) error { return j.take(ctx, o) })
		if err != nil {
			return err
		}
	}
	j.countKeys()
	return j.finish(ctx)
}

// begin loads the records of the first algorithm.
func (j *join) begin(ctx context.Context) error {
	j.judge = judge{scan: j.scan}
	known := j.scan.facts.algorithms()
	for _, a := range j.scan.refs.algorithms() {
		known = insert(known, a)
	}
	j.algorithms = j.shard.algorithms(known)
	return j.load(ctx)
}

// insert adds an algorithm to a list in the order of folders, unless it is
// there.
func insert(list []string, algorithm string) []string {
	for i, a := range list {
		switch c := compareAlgorithms(algorithm, a); {
		case c == 0:
			return list
		case c < 0:
			return append(list[:i:i], append([]string{algorithm}, list[i:]...)...)
		}
	}
	return append(list, algorithm)
}

// load gets the records of the current algorithm, if there is one.
func (j *join) load(ctx context.Context) error {
	j.batch.reset()
	j.at = 0
	if len(j.algorithms) == 0 {
		return nil
	}
	algorithm := j.algorithms[0]
	for _, spool := range []*spool{j.scan.facts, j.scan.refs} {
		if err := spool.load(j.batch, j.shard, algorithm); err != nil {
			return err
		}
	}
	if db := j.scan.db; db != nil && db.era.artifacts && j.scan.scope.all() {
		if err := db.loadBlobRows(ctx, j.shard, algorithm, j.batch); err != nil {
			return err
		}
	}
	j.batch.sort()
	return nil
}

// take joins one listed object.
func (j *join) take(ctx context.Context, o registry.Object) error {
	if j.keys++; j.keys == 512 {
		j.countKeys()
	}
	s := j.scan
	p := registry.ParsePath(o.Key)
	switch {
	case o.Irregular:
		s.notes.add(UnknownObject, s.tree.Key(o.Key))
		return nil
	case p.Kind == registry.Litter:
		s.waste.object(TempFiles, o, "")
		return nil
	case p.Kind == registry.Folder:
		if o.Key != registry.BlobsFolder {
			s.waste.folder(o)
		}
		return nil
	case p.Kind != registry.Blob:
		s.notes.add(UnknownObject, s.tree.Key(o.Key))
		return nil
	}
	s.count.blobs.Add(1)
	s.count.blobBytes.Add(o.Size)
	if err := j.advance(ctx, p.Digest.Algorithm); err != nil {
		return err
	}
	found := object{exists: true, size: o.Size, modTime: o.ModTime, name: o.Key}
	return j.match(ctx, p.Digest, found)
}

// countKeys reports the keys since the last report.
func (j *join) countKeys() {
	j.scan.count.keys.Add(j.keys)
	j.scan.opts.Progress.Add(j.keys)
	j.keys = 0
}

// advance goes on to the records of an algorithm that the listing has reached;
// what the algorithms before it still have is not in storage.
func (j *join) advance(ctx context.Context, algorithm string) error {
	for len(j.algorithms) > 0 && compareAlgorithms(j.algorithms[0], algorithm) < 0 {
		if err := j.missing(nil); err != nil {
			return err
		}
		j.algorithms = j.algorithms[1:]
		if err := j.load(ctx); err != nil {
			return err
		}
	}
	return nil
}

// match judges the records below a digest, of which there is no object, and
// those of the digest itself.
func (j *join) match(ctx context.Context, d registry.Digest, found object) error {
	if len(j.algorithms) == 0 || j.algorithms[0] != d.Algorithm {
		return j.examine(ctx, d, nil, found)
	}
	var buf [maxDigest]byte
	raw := rawDigest(buf[:0], d)
	if err := j.missing(raw); err != nil {
		return err
	}
	var records []record
	if j.at < j.batch.len() && string(j.batch.get(j.at).digest()) == string(raw) {
		records = j.group()
	}
	return j.examine(ctx, d, records, found)
}

// group takes the records of the next digest.
func (j *join) group() []record {
	end := j.batch.group(j.at)
	j.judge.records = j.judge.records[:0]
	for ; j.at < end; j.at++ {
		j.judge.records = append(j.judge.records, j.batch.get(j.at))
	}
	return j.judge.records
}

// missing judges the records below a digest, or all that are left: they have
// no object.
func (j *join) missing(below []byte) error {
	for j.at < j.batch.len() {
		raw := j.batch.get(j.at).digest()
		if below != nil && string(raw) >= string(below) {
			return nil
		}
		d := digestOf(j.algorithms[0], raw)
		j.judge.digest(d, j.group(), object{size: registry.SizeUnknown, name: registry.BlobPath(d)})
	}
	return nil
}

// finish judges what the listing has not reached.
func (j *join) finish(ctx context.Context) error {
	for len(j.algorithms) > 0 {
		if err := j.missing(nil); err != nil {
			return err
		}
		j.algorithms = j.algorithms[1:]
		if err := j.load(ctx); err != nil {
			return err
		}
	}
	return nil
}

// examine judges an object that is there. Where it is listed with 0 bytes it
// is asked for its size first, beside the listing: Swift lists all large
// objects so.
func (j *join) examine(ctx context.Context, d registry.Digest, records []record, found object) error {
	if found.size != 0 || d.OfNothing() {
		j.judge.digest(d, records, found)
		return nil
	}
	if j.scan.opts.Depth == Metadata && j.scan.sizesLeft.Add(-1) < 0 {
		found.size = registry.SizeUnknown
		j.scan.count.sizesUnknown.Add(1)
		j.judge.digest(d, records, found)
		return nil
	}
	j.later(ctx, cloneDigest(d), cloneRecords(records), found)
	return nil
}

// later asks for an object and judges then.
func (j *join) later(ctx context.Context, d registry.Digest, records []record, found object) {
	s := j.scan
	j.pending.Add(1)
	j.asks.Go(func() error {
		defer j.pending.Done()
		o, err := s.tree.Head(ctx, found.name)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, registry.ErrNotFound):
			found = object{size: registry.SizeUnknown, name: found.name}
		case err != nil:
			s.gaps.add(registry.Range{Prefix: found.name}, err)
			return nil
		default:
			found.exists, found.size, found.modTime = true, o.Size, o.ModTime
			found.hollow = o.Manifest && o.Size == 0
			s.count.blobBytes.Add(o.Size)
			if err := s.nameSegments(o); err != nil {
				return err
			}
		}
		own := judge{scan: s}
		own.digest(d, records, found)
		return nil
	})
}

func cloneRecords(list []record) []record {
	out := make([]record, len(list))
	for i, r := range list {
		out[i] = append(record(nil), r...)
	}
	return out
}

// ask joins with questions about every digest that the records name: where
// only a project is scanned, that is less than listing all blobs.
func (j *join) ask(ctx context.Context) error {
	if err := j.begin(ctx); err != nil {
		return err
	}
	for len(j.algorithms) > 0 {
		for j.at < j.batch.len() {
			d := digestOf(j.algorithms[0], j.batch.get(j.at).digest())
			if records := cloneRecords(j.group()); concernsObject(records) {
				j.later(ctx, d, records, object{name: registry.BlobPath(d)})
			}
		}
		j.algorithms = j.algorithms[1:]
		if err := j.load(ctx); err != nil {
			return err
		}
	}
	return nil
}

// concernsObject reports whether the records are about more than rows of the
// whole database.
func concernsObject(records []record) bool {
	for _, r := range records {
		if r.repo() != noRepository {
			return true
		}
	}
	return false
}
