package orphans

import (
	"encoding/binary"

	"github.com/harbordb/harbordb/registry"
)

// sample is from how many digests of a few partitions on the number of all is
// guessed well enough.
const sample = 2000

// expectedBlobs guesses how many blobs will be listed, for whoever watches:
// nearly every one is linked or referred to, and digests are spread evenly, so
// that the first partitions tell of all.
func (s *scan) expectedBlobs() (int64, error) {
	if !s.scope.all() {
		return 0, nil
	}
	digests := make(map[uint64]struct{})
	for first := range partitions {
		for _, from := range s.joined() {
			err := from.each(registry.SHA256, byte(first), func(r record) {
				digests[binary.BigEndian.Uint64(r.digest())] = struct{}{}
			})
			if err != nil {
				return 0, err
			}
		}
		if len(digests) >= sample {
			return int64(len(digests)) * partitions / int64(first+1), nil
		}
	}
	return int64(len(digests)), nil
}
