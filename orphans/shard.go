package orphans

import (
	"fmt"

	"github.com/harbordb/harbordb/registry"
)

// shard is a part of all digests that is joined at a time: a range of the
// first two bytes of one algorithm, or everything of all algorithms.
type shard struct {
	algorithm string // empty: all of them, or all but sha256
	low, high int    // of the first two bytes; high is exclusive, at most 1<<16
	// rest is what remains beside the shards of sha256.
	rest bool
}

const allPrefixes = 1 << 16

// shards cuts everything into n parts: 1, or a power of two of ranges of
// sha256 and one part for the rest.
func shards(n int) []shard {
	if n <= 1 {
		return []shard{{low: 0, high: allPrefixes}}
	}
	step := allPrefixes / n
	list := make([]shard, 0, n+1)
	for low := 0; low < allPrefixes; low += step {
		list = append(list, shard{algorithm: registry.SHA256, low: low, high: low + step})
	}
	return append(list, shard{low: 0, high: allPrefixes, rest: true})
}

// shardBytes is how much the records of one shard may take.
const shardBytes = 8 << 20

// shardCount is the number of shards for records of a total size and for some
// number of blobs, of which so many are worth a listing of their own.
func shardCount(bytes, blobs int64, split int) int {
	n := 1
	for n < allPrefixes && bytes/int64(n) > shardBytes || n < 256 && blobs/int64(n) > int64(split) {
		n *= 4
	}
	return n
}

// holds reports whether a digest of one of the shard's algorithms is in it.
func (s shard) holds(raw []byte) bool {
	first := int(raw[0]) << 8
	if len(raw) > 1 {
		first |= int(raw[1])
	}
	return first >= s.low && first < s.high
}

// algorithms picks the shard's own from all that occur, keeping the order.
func (s shard) algorithms(all []string) []string {
	if s.algorithm != "" {
		return []string{s.algorithm}
	}
	var own []string
	for _, a := range all {
		if !s.rest || a != registry.SHA256 {
			own = append(own, a)
		}
	}
	return own
}

// ranges are the parts of the listing below blobs/ that hold the shard.
func (s shard) ranges() []registry.Range {
	const sha256 = registry.BlobsFolder + registry.SHA256 + "/"
	switch {
	case s.rest:
		return []registry.Range{
			{Prefix: registry.BlobsFolder, Before: sha256},
			{Prefix: registry.BlobsFolder, After: sha256 + "g"},
		}
	case s.algorithm == "":
		return []registry.Range{{Prefix: registry.BlobsFolder}}
	}
	in := registry.Range{Prefix: sha256}
	if s.low > 0 {
		in.After = sha256 + shardFolder(s.low)
	}
	if s.high < allPrefixes {
		in.Before = sha256 + shardFolder(s.high)
	} else {
		in.Before = sha256 + "g"
	}
	return []registry.Range{in}
}

// shardFolder is where the blobs whose digests begin with two bytes lie:
// "ab/abcd". Below "ab" there is nothing before "ab/ab00".
func shardFolder(prefix int) string {
	if prefix&0xff == 0 {
		return fmt.Sprintf("%02x", prefix>>8)
	}
	return fmt.Sprintf("%02x/%04x", prefix>>8, prefix)
}

// digestBounds are the bounds of the shard as texts of digests, low inclusive
// and high exclusive; ok is false where the shard has no such bounds.
func (s shard) digestBounds() (low, high string, ok bool) {
	if s.algorithm == "" {
		return "", "", false
	}
	low = fmt.Sprintf("%s:%04x", s.algorithm, s.low)
	if s.high == allPrefixes {
		return low, s.algorithm + ":g", true
	}
	return low, fmt.Sprintf("%s:%04x", s.algorithm, s.high), true
}
