package orphans

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
)

// The cache keeps what manifests refer to, which never changes: a digest names
// the bytes. One file for each algorithm and first byte:
//
//	cacheHeader, then entries: length of all that follows but the sum
//	(uvarint), length of the digest (1), digest, references, CRC-32 of the
//	entry (4, little endian)
//
// What is damaged, cut off or of another version is not read; it will be
// written anew. Files are replaced as a whole, so two scans at a time lose at
// most some entries. A cache that cannot be used makes the next scan slower
// and nothing else.
const cacheHeader = "harbordb manifest references 1\n"

// cache is the folder of a cache; where dir is empty it keeps nothing. Safe
// for concurrent use.
type cache struct {
	dir    string
	saving sync.Mutex // one file may have the entries of several shards
	// failed is why the cache could not be used.
	failed atomic.Pointer[error]
}

// cacheShard is what one file of the cache has for a shard, in memory.
type cacheShard struct {
	path    string // empty: nothing is kept
	shard   shard
	entries map[string][]byte // references by raw digest
	used    map[string]bool
	added   int
}

// fail notes why there is no cache.
func (c *cache) fail(err error) { c.failed.CompareAndSwap(nil, &err) }

// makeDir makes the folder of the cache.
func (c *cache) makeDir() {
	if c.dir == "" {
		return
	}
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		c.fail(fmt.Errorf("make the folder of the cache: %w", err))
		c.dir = ""
	}
}

// open reads what a file of the cache has for a shard; one that is not there
// is empty.
func (c *cache) open(algorithm string, first byte, sh shard) *cacheShard {
	s := &cacheShard{shard: sh, entries: make(map[string][]byte), used: make(map[string]bool)}
	if c.dir == "" {
		return s
	}
	path := filepath.Join(c.dir, fmt.Sprintf("%s-%02x", algorithm, first))
	content, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		c.fail(fmt.Errorf("read the cache: %w", err))
		return s
	}
	s.path = path
	eachCached(content, func(raw, refs, _ []byte) {
		if sh.holds(raw) {
			s.entries[string(raw)] = refs
		}
	})
	return s
}

// eachCached calls f for the entries of a file up to the first that is
// damaged: with the digest, the references, and the entry as it stands there.
func eachCached(content []byte, f func(raw, refs, entry []byte)) {
	rest, ok := bytes.CutPrefix(content, []byte(cacheHeader))
	for ok && len(rest) > 0 {
		size, n := binary.Uvarint(rest)
		if n <= 0 || size > uint64(len(rest)) || uint64(len(rest)) < uint64(n)+size+4 {
			return
		}
		end := n + int(size)
		if crc32.ChecksumIEEE(rest[:end]) != binary.LittleEndian.Uint32(rest[end:]) {
			return
		}
		raw, refs, cut := cutCounted(rest[n:end])
		if !cut || len(raw) == 0 {
			return
		}
		f(raw, refs, rest[:end+4])
		rest = rest[end+4:]
	}
}

func (s *cacheShard) appendTo(out []byte, what keep) []byte {
	for raw, refs := range s.entries {
		if what == keepUsed && !s.used[raw] {
			continue
		}
		at := len(out)
		out = binary.AppendUvarint(out, uint64(1+len(raw)+len(refs)))
		out = append(out, byte(len(raw)))
		out = append(out, raw...)
		out = append(out, refs...)
		out = binary.LittleEndian.AppendUint32(out, crc32.ChecksumIEEE(out[at:]))
	}
	return out
}

// get returns the references of a manifest as a list.
func (s *cacheShard) get(raw []byte) ([]byte, bool) {
	refs, ok := s.entries[string(raw)]
	if ok {
		s.used[string(raw)] = true
	}
	return refs, ok
}

func (s *cacheShard) put(raw, refs []byte) {
	if s.path == "" {
		return
	}
	s.entries[string(raw)] = bytes.Clone(refs)
	s.used[string(raw)] = true
	s.added++
}

// keep says what save keeps.
type keep int

const (
	keepAll  keep = iota // a part was scanned: the rest may still be there
	keepUsed             // everything was scanned: what was not met is gone
)

// save writes the file anew where it is worth it. What the file has for other
// shards stays.
func (c *cache) save(s *cacheShard, what keep) {
	unused := len(s.entries) - len(s.used)
	if s.path == "" || s.added == 0 && (what == keepAll || unused <= len(s.used)) {
		return
	}
	c.saving.Lock()
	defer c.saving.Unlock()
	if err := s.write(what); err != nil {
		c.fail(fmt.Errorf("write the cache: %w", err))
	}
}

func (s *cacheShard) write(what keep) error {
	out := []byte(cacheHeader)
	before, err := os.ReadFile(s.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	eachCached(before, func(raw, _, entry []byte) {
		if !s.shard.holds(raw) {
			out = append(out, entry...)
		}
	})
	temp, err := os.CreateTemp(filepath.Dir(s.path), ".tmp-*")
	if err != nil {
		return err
	}
	_, err = temp.Write(s.appendTo(out, what))
	err = errors.Join(err, temp.Close())
	if err == nil {
		err = os.Rename(temp.Name(), s.path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(temp.Name()))
	}
	return nil
}
