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
// most some entries.
const cacheHeader = "harbordb manifest references 1\n"

// cache is the folder of a cache; the zero cache keeps nothing.
type cache struct{ dir string }

// cacheShard is one file of the cache in memory.
type cacheShard struct {
	path    string
	entries map[string][]byte // references by raw digest
	used    map[string]bool
	added   int
}

// makeDir makes the folder of the cache.
func (c cache) makeDir() error {
	if c.dir == "" {
		return nil
	}
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return fmt.Errorf("make the folder of the cache: %w", err)
	}
	return nil
}

// open reads a file of the cache; one that is not there is empty.
func (c cache) open(algorithm string, first byte) (*cacheShard, error) {
	s := &cacheShard{entries: make(map[string][]byte), used: make(map[string]bool)}
	if c.dir == "" {
		return s, nil
	}
	s.path = filepath.Join(c.dir, fmt.Sprintf("%s-%02x", algorithm, first))
	content, err := os.ReadFile(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the cache: %w", err)
	}
	s.decode(content)
	return s, nil
}

// decode reads entries up to the first that is damaged.
func (s *cacheShard) decode(content []byte) {
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
		if !cut {
			return
		}
		s.entries[string(raw)] = refs
		rest = rest[end+4:]
	}
}

func (s *cacheShard) encode(all bool) []byte {
	out := []byte(cacheHeader)
	for raw, refs := range s.entries {
		if !all && !s.used[raw] {
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

// save writes the file anew where it is worth it.
func (s *cacheShard) save(what keep) error {
	unused := len(s.entries) - len(s.used)
	if s.path == "" || s.added == 0 && (what == keepAll || unused <= len(s.used)) {
		return nil
	}
	temp, err := os.CreateTemp(filepath.Dir(s.path), ".tmp-*")
	if err != nil {
		return fmt.Errorf("write the cache: %w", err)
	}
	_, err = temp.Write(s.encode(what == keepAll))
	err = errors.Join(err, temp.Close())
	if err == nil {
		err = os.Rename(temp.Name(), s.path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write the cache: %w", err), os.Remove(temp.Name()))
	}
	return nil
}
