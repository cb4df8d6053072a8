package orphans

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
)

// A layer that all images share is referred to ten million times; what is said
// of it is little.
func TestABatchDropsWhatIsSaidAgain(t *testing.T) {
	const repositories, again = 300, 5000
	r := newRoom(t.TempDir(), 1<<20)
	s := r.newSpool()
	random := rand.New(rand.NewPCG(5, 6))
	hot, payload := randomDigest(random, 2), reference{size: 300}.encode(nil)
	others := make(map[string]bool)
	for i := range again {
		for repo := range uint32(repositories) {
			if err := s.add(hot, repo+1, kindRef, payload); err != nil {
				t.Fatal(err)
			}
		}
		cold := hot
		cold.Hex = hot.Hex[:2] + randomDigest(random, 2).Hex[2:]
		others[cold.Hex] = true
		if err := s.add(cold, 1, kindRef, binary.AppendVarint(payload[:2:2], int64(i))); err != nil {
			t.Fatal(err)
		}
	}
	var b batch
	b.reset()
	if err := s.load(&b, shards(1)[0], hot.Algorithm); err != nil {
		t.Fatal(err)
	}
	if most := 2 * batchBytes; cap(b.arena) > most {
		t.Errorf("%d bytes hold %d of records", cap(b.arena), s.bytes.Load())
	}
	b.compact()
	repos := make(map[uint32]bool)
	for i := range b.len() {
		switch r := b.get(i); {
		case string(r.digest()) == string(rawDigest(nil, hot)):
			repos[r.repo()] = true
		case others[digestOf(hot.Algorithm, r.digest()).Hex]:
			delete(others, digestOf(hot.Algorithm, r.digest()).Hex)
		default:
			t.Fatalf("record of %x", r.digest())
		}
	}
	if len(repos) != repositories || len(others) > 0 || b.len() != repositories+again {
		t.Errorf("%d records, of %d repositories, without %d others", b.len(), len(repos), len(others))
	}
	if err := r.close(); err != nil {
		t.Error(err)
	}
}
