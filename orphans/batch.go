package orphans

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/harbordb/harbordb/registry"
)

// batch is a sorted set of records in memory. It is used again and again by
// one worker, so that its memory is given out once.
//
// What is said twice is kept once, when there is much: all manifests of a
// repository say the same of a layer that they share.
type batch struct {
	arena []byte
	at    []sortKey
	most  int // bytes from which on what is said twice is dropped
}

// batchBytes is what a batch may take before repetitions are looked for: a
// little more than most shards have.
const batchBytes = shardBytes * 5 / 4

type sortKey struct {
	prefix uint64 // the first bytes of the digest, which nearly always decide
	offset uint32
}

// reset empties the batch. It keeps its memory, but not what one digest that
// all repositories have has made of it.
func (b *batch) reset() {
	if b.most > batchBytes {
		b.arena, b.at = nil, nil
	}
	b.arena, b.at, b.most = b.arena[:0], b.at[:0], batchBytes
}

// grow makes room for so many more bytes and records, as far as they may all
// be kept.
func (b *batch) grow(bytes, count int) {
	if room := b.most - len(b.arena); bytes > room {
		count = int(int64(count) * int64(max(room, 0)) / int64(bytes))
		bytes = max(room, 0)
	}
	b.arena = slices.Grow(b.arena, bytes)
	b.at = slices.Grow(b.at, count)
}

func (b *batch) add(r record) {
	if len(b.arena)+len(r) > b.most {
		b.compact()
		b.most = max(batchBytes, 2*len(b.arena))
	}
	b.at = append(b.at, sortKey{prefixOf(r.digest()), uint32(len(b.arena))})
	b.arena = append(b.arena, r...)
}

func (b *batch) get(i int) record { return b.record(b.at[i]) }

func (b *batch) record(k sortKey) record {
	r, _ := next(b.arena[k.offset:])
	return r
}

func (b *batch) len() int { return len(b.at) }

func (b *batch) sort() {
	slices.SortFunc(b.at, func(x, y sortKey) int {
		if x.prefix != y.prefix {
			if x.prefix < y.prefix {
				return -1
			}
			return 1
		}
		return compareRecords(b.record(x), b.record(y))
	})
}

// compact sorts the records and keeps each once.
func (b *batch) compact() {
	b.sort()
	b.at = slices.CompactFunc(b.at, func(x, y sortKey) bool {
		return x.prefix == y.prefix && bytes.Equal(b.record(x), b.record(y))
	})
	size := 0
	for _, k := range b.at {
		size += len(b.record(k))
	}
	kept := make([]byte, 0, size)
	for i, k := range b.at {
		r := b.record(k)
		b.at[i].offset = uint32(len(kept))
		kept = append(kept, r...)
	}
	b.arena = append(b.arena[:0], kept...)
}

// prefixOf reads the first eight bytes as a number, missing ones as zero.
func prefixOf(digest []byte) uint64 {
	if len(digest) >= 8 {
		return binary.BigEndian.Uint64(digest)
	}
	var first [8]byte
	copy(first[:], digest)
	return binary.BigEndian.Uint64(first[:])
}

// group returns the end of the records that share the digest of the i-th.
func (b *batch) group(i int) int {
	digest := b.get(i).digest()
	j := i + 1
	for j < b.len() && bytes.Equal(b.get(j).digest(), digest) {
		j++
	}
	return j
}

// eachGroup sorts and calls f with all records of each digest.
func (b *batch) eachGroup(algorithm string, f func(registry.Digest, []record) error) error {
	b.sort()
	var records []record
	for i := 0; i < b.len(); {
		end := b.group(i)
		d := digestOf(algorithm, b.get(i).digest())
		for records = records[:0]; i < end; i++ {
			records = append(records, b.get(i))
		}
		if err := f(d, records); err != nil {
			return err
		}
	}
	return nil
}
