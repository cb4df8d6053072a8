package orphans

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/harbordb/harbordb/registry"
)

// partitions is into how many parts a spool is cut, by the first byte of a
// digest.
const partitions = 256

// Sizes of the pieces in which records are kept: small at first, so that a
// small registry costs little.
const (
	firstChunk = 1 << 10
	fullChunk  = 16 << 10
)

// room is the memory that the spools of a scan share, and the file that takes
// what does not fit. The file has no name: it is gone with the process.
type room struct {
	dir   string
	limit int64
	used  atomic.Int64
	full  atomic.Bool // from then on every full chunk goes to the file

	mu     sync.Mutex
	spools []*spool
	file   *os.File
	end    atomic.Int64
}

func newRoom(dir string, limit int64) *room { return &room{dir: dir, limit: limit} }

func (r *room) newSpool() *spool {
	s := &spool{room: r, parts: make(map[string]*[partitions]partition)}
	r.spools = append(r.spools, s)
	return s
}

func (r *room) close() error {
	if r.file == nil {
		return nil
	}
	return r.file.Close()
}

// overflow opens the file and writes everything there is to it.
func (r *room) overflow() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.full.Load() {
		return nil
	}
	file, err := os.CreateTemp(r.dir, "harbordb-scan-*")
	if err != nil {
		return fmt.Errorf("make a temporary file: %w", err)
	}
	if err := os.Remove(file.Name()); err != nil {
		return errors.Join(err, file.Close())
	}
	r.file = file
	r.full.Store(true)
	for _, s := range r.spools {
		for _, alg := range s.algorithms() {
			parts := s.of(alg)
			for i := range parts {
				if err := parts[i].flush(r); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// spool keeps records by algorithm and first byte. Safe for concurrent use.
type spool struct {
	room *room

	mu    sync.RWMutex
	parts map[string]*[partitions]partition // by algorithm

	bytes atomic.Int64
	count atomic.Int64
}

type partition struct {
	mu     sync.Mutex
	chunks [][]byte
	disk   []extent
	bytes  int
	count  int
}

type extent struct{ at, length int64 }

// algorithms lists the algorithms of all records, in the order of their
// folders below blobs/.
func (s *spool) algorithms() []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.SortedFunc(maps.Keys(s.parts), compareAlgorithms)
}

// compareAlgorithms orders algorithms as their blobs are listed.
func compareAlgorithms(a, b string) int {
	return strings.Compare(algorithmFolder(a), algorithmFolder(b))
}

// algorithmFolder is the folder of an algorithm's blobs.
func algorithmFolder(algorithm string) string {
	path := registry.BlobPath(registry.Digest{Algorithm: algorithm})
	return strings.TrimSuffix(path, "//data")
}

func (s *spool) of(algorithm string) *[partitions]partition {
	s.mu.RLock()
	parts := s.parts[algorithm]
	s.mu.RUnlock()
	if parts != nil {
		return parts
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.parts[algorithm] == nil {
		s.parts[algorithm] = new([partitions]partition)
	}
	return s.parts[algorithm]
}

// add appends a record.
func (s *spool) add(d registry.Digest, repo uint32, k kind, payload []byte) error {
	var rawBuf [maxDigest]byte
	raw := rawDigest(rawBuf[:0], d)
	if len(raw) == 0 || len(raw) > maxDigest {
		return nil // no registry makes such a digest, and none could be looked for
	}
	return s.addRaw(d.Algorithm, raw, repo, k, payload)
}

func (s *spool) addRaw(algorithm string, raw []byte, repo uint32, k kind, payload []byte) error {
	size := recordHeader + len(raw) + 5 + len(payload)
	if size > fullChunk {
		return fmt.Errorf("a record of %d bytes about %s", size, digestOf(algorithm, raw))
	}
	s.bytes.Add(int64(size))
	s.count.Add(1)
	p := &s.of(algorithm)[raw[0]]
	p.mu.Lock()
	err := p.add(s.room, raw, repo, k, payload, size)
	p.mu.Unlock()
	if err == nil && s.room.used.Load() > s.room.limit && !s.room.full.Load() {
		err = s.room.overflow()
	}
	return err
}

// add appends under the partition's lock.
func (p *partition) add(r *room, raw []byte, repo uint32, k kind, payload []byte, size int) error {
	last := len(p.chunks) - 1
	if last >= 0 && r.full.Load() && cap(p.chunks[last])-len(p.chunks[last]) < size {
		if err := p.write(r); err != nil {
			return err
		}
		last = len(p.chunks) - 1
	}
	if last < 0 || cap(p.chunks[last])-len(p.chunks[last]) < size {
		p.chunks = append(p.chunks, make([]byte, 0, p.chunkSize(size)))
		last = len(p.chunks) - 1
		r.used.Add(int64(cap(p.chunks[last])))
	}
	p.chunks[last] = appendRecord(p.chunks[last], raw, repo, k, payload)
	p.bytes += size
	p.count++
	return nil
}

func (p *partition) chunkSize(atLeast int) int {
	size := firstChunk
	if last := len(p.chunks) - 1; last >= 0 {
		size = 2 * cap(p.chunks[last])
	} else if len(p.disk) > 0 {
		size = fullChunk
	}
	return max(min(size, fullChunk), atLeast)
}

func (p *partition) flush(r *room) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.write(r)
}

// write moves all chunks to the file, and keeps a full one for what comes next.
func (p *partition) write(r *room) error {
	var free []byte
	for _, chunk := range p.chunks {
		at := r.end.Add(int64(len(chunk))) - int64(len(chunk))
		if _, err := r.file.WriteAt(chunk, at); err != nil {
			return fmt.Errorf("write temporary records: %w", err)
		}
		p.disk = append(p.disk, extent{at, int64(len(chunk))})
		if cap(chunk) == fullChunk && free == nil {
			free = chunk[:0]
			continue
		}
		r.used.Add(-int64(cap(chunk)))
	}
	p.chunks = p.chunks[:0]
	if free != nil {
		p.chunks = append(p.chunks, free)
	}
	return nil
}

// each calls f for every record of a partition that was there when it began.
// The record is valid until f returns.
func (s *spool) each(algorithm string, first byte, f func(record)) error {
	p := &s.of(algorithm)[first]
	p.mu.Lock()
	disk := p.disk
	recent := slices.Concat(p.chunks...) // the chunks themselves are used again
	p.mu.Unlock()
	var buf []byte
	for _, e := range disk {
		if buf == nil {
			buf = make([]byte, fullChunk)
		}
		chunk := buf[:e.length]
		if _, err := s.room.file.ReadAt(chunk, e.at); err != nil {
			return fmt.Errorf("read temporary records: %w", err)
		}
		eachIn(chunk, f)
	}
	eachIn(recent, f)
	return nil
}

func eachIn(buf []byte, f func(record)) {
	for len(buf) > 0 {
		var r record
		r, buf = next(buf)
		f(r)
	}
}

// load adds to b what the spool has for a shard and one of its algorithms.
func (s *spool) load(b *batch, sh shard, algorithm string) error {
	b.grow(s.size(sh, algorithm))
	for first := sh.low >> 8; first <= (sh.high-1)>>8; first++ {
		err := s.each(algorithm, byte(first), func(r record) {
			if sh.holds(r.digest()) {
				b.add(r)
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// joined are the spools of what is said about blobs and manifests.
func (s *scan) joined() []*spool { return []*spool{s.facts, s.refs} }

// eachDigest calls f with all records of each digest, shard by shard.
func (s *scan) eachDigest(spools []*spool, f func(registry.Digest, []record) error) error {
	var size int64
	var algorithms []string
	for _, from := range spools {
		size += from.bytes.Load()
		for _, a := range from.algorithms() {
			algorithms = insert(algorithms, a)
		}
	}
	var b batch
	for _, sh := range shards(shardCount(size, 0, 1)) {
		for _, algorithm := range sh.algorithms(algorithms) {
			b.reset()
			for _, from := range spools {
				if err := from.load(&b, sh, algorithm); err != nil {
					return err
				}
			}
			if err := b.eachGroup(algorithm, f); err != nil {
				return err
			}
		}
	}
	return nil
}

// size estimates what a shard's records take, from whole partitions.
func (s *spool) size(sh shard, algorithm string) (bytes, count int) {
	parts := s.of(algorithm)
	for first := sh.low >> 8; first <= (sh.high-1)>>8; first++ {
		p := &parts[first]
		p.mu.Lock()
		bytes, count = bytes+p.bytes, count+p.count
		p.mu.Unlock()
	}
	if width := sh.high - sh.low; width < 256 {
		bytes, count = bytes*width/256, count*width/256
	}
	return bytes, count
}
