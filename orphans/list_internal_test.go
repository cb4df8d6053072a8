package orphans

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/harbordb/harbordb/registry"
)

func TestABoundPartsWhatIsLeftAndNoGroup(t *testing.T) {
	hex := strings.Repeat("3f", 32)
	keys := []string{
		"repositories/library/app/_layers/sha256/" + hex + "/link",
		"repositories/library/app/_manifests/revisions/sha256/" + hex + "/link",
		"repositories/library/app/_manifests/tags/v1.0/current/link",
		"repositories/library/app/_manifests/tags/v1.0/index/sha256/" + hex + "/link",
		"repositories/library/app/_uploads/9ac3ea44-cbb6/hashstates/sha256/0",
		"repositories/zzz/_layers/sha256/" + strings.Repeat("f", 64) + "/link",
		"repositories/a",
	}
	bounds := []string{"", "repositories/m", "repositories/library/app/_manifests/tags/v1.0-alpine"}
	for _, key := range keys {
		for _, bound := range bounds {
			for attempt := range 12 {
				middle, ok := between(key, bound, registry.RepositoriesFolder, attempt)
				if !ok {
					continue
				}
				if middle <= key || bound != "" && middle >= bound || middle >= behind(registry.RepositoriesFolder) {
					t.Errorf("between %q and %q: %q", key, bound, middle)
				}
				if strings.HasPrefix(key, middle) {
					t.Errorf("%q parts the folder of %q", middle, key)
				}
			}
		}
	}
}

func TestBoundsMeetInTheMiddleOfOneLargeRepository(t *testing.T) {
	key := "repositories/library/app/_layers/sha256/00" + strings.Repeat("1", 62) + "/link"
	within := false
	for attempt := range 8 {
		if middle, ok := between(key, "", registry.RepositoriesFolder, attempt); ok {
			within = within || strings.HasPrefix(middle, "repositories/library/app/_layers/sha256/")
		}
	}
	if !within {
		t.Error("no attempt parts the layers of the repository itself")
	}
}

func FuzzBetween(f *testing.F) {
	f.Add("repositories/a/_layers/sha256/00/link", "repositories/b", 3)
	f.Add("repositories/a/_manifests/tags/v1/current/link", "", 1)
	f.Fuzz(func(t *testing.T, key, bound string, attempt int) {
		if attempt < 0 || !strings.HasPrefix(key, registry.RepositoriesFolder) {
			return
		}
		middle, ok := between(key, bound, registry.RepositoriesFolder, attempt)
		if ok && (middle <= key || bound != "" && middle >= bound) {
			t.Errorf("between %q and %q: %q", key, bound, middle)
		}
	})
}

func TestRecordsComeBackAsTheyWereAdded(t *testing.T) {
	for name, limit := range map[string]int64{"in memory": 1 << 30, "on disk": 1 << 10} {
		t.Run(name, func(t *testing.T) {
			r := newRoom(t.TempDir(), limit)
			s := r.newSpool()
			want := make(map[string]int)
			random := rand.New(rand.NewPCG(1, 2))
			for i := range 20_000 {
				d := randomDigest(random, i)
				payload := []byte(strings.Repeat("x", i%40))
				if err := s.add(d, uint32(i), kindTag, payload); err != nil {
					t.Fatal(err)
				}
				want[d.String()] = i
			}
			seen := 0
			for _, n := range []int{1, 16, 1024} {
				seen = 0
				for _, sh := range shards(n) {
					for _, algorithm := range sh.algorithms(s.algorithms()) {
						seen += checkShard(t, s, sh, algorithm, want)
					}
				}
				if seen != len(want) {
					t.Errorf("%d shards hold %d records of %d", n, seen, len(want))
				}
			}
			if r.full.Load() != (name == "on disk") {
				t.Errorf("on disk: %v", r.full.Load())
			}
			if err := r.close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func randomDigest(random *rand.Rand, i int) registry.Digest {
	var b strings.Builder
	for range 64 {
		b.WriteByte("0123456789abcdef"[random.IntN(16)])
	}
	switch i % 10 {
	case 0:
		return registry.Digest{Algorithm: "sha512", Hex: b.String() + b.String()}
	case 1:
		return registry.Digest{Algorithm: "tarsum+v1+sha256", Hex: b.String()}
	}
	return registry.Digest{Algorithm: registry.SHA256, Hex: b.String()}
}

// checkShard loads a shard and returns how many records it has.
func checkShard(t *testing.T, s *spool, sh shard, algorithm string, want map[string]int) int {
	t.Helper()
	var b batch
	if err := s.load(&b, sh, algorithm); err != nil {
		t.Fatal(err)
	}
	b.sort()
	for i := range b.len() {
		r := b.get(i)
		d := digestOf(algorithm, r.digest())
		if n, ok := want[d.String()]; !ok || uint32(n) != r.repo() || r.kind() != kindTag || len(r.payload()) != n%40 {
			t.Fatalf("record of %s: repository %d, payload %q", d, r.repo(), r.payload())
		}
		if i > 0 && compareRecords(b.get(i-1), r) > 0 {
			t.Fatal("out of order")
		}
	}
	return b.len()
}

func TestRangesOfShardsCoverAllBlobsOnce(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	names := []string{registry.BlobPath(registry.Digest{Algorithm: registry.SHA256, Hex: strings.Repeat("0", 64)}),
		registry.BlobPath(registry.Digest{Algorithm: registry.SHA256, Hex: strings.Repeat("f", 64)})}
	for i := range 2000 {
		names = append(names, registry.BlobPath(randomDigest(random, i)))
	}
	for _, n := range []int{1, 4, 16, 64, 256, 1024, 4096} {
		for _, name := range names {
			found := 0
			for _, sh := range shards(n) {
				for _, in := range sh.ranges() {
					if in.Contains(name) {
						found++
						d := registry.ParsePath(name).Digest
						if sh.algorithm != "" && !sh.holds(rawDigest(nil, d)) {
							t.Fatalf("%s is listed with another shard than its records", name)
						}
					}
				}
			}
			if found != 1 {
				t.Fatalf("%s is in %d of %d shards", name, found, n)
			}
		}
	}
}

func FuzzReferences(f *testing.F) {
	f.Add(appendReference(nil, registry.Reference{Digest: registry.Digest{Algorithm: "sha256", Hex: strings.Repeat("ab", 32)}, Role: registry.RoleLayer, Size: 7}))
	f.Add([]byte{1, 0, 3, 'a', 'b'})
	f.Fuzz(func(t *testing.T, list []byte) {
		refs, err := decodeReferences(list)
		if err != nil {
			return
		}
		var again []byte
		for _, ref := range refs {
			again = appendReference(again, ref)
		}
		if back, err := decodeReferences(again); err != nil || len(back) != len(refs) {
			t.Errorf("%d references became %d: %v", len(refs), len(back), err)
		}
	})
}

func FuzzCache(f *testing.F) {
	read := func(content []byte) *cacheShard {
		s := &cacheShard{entries: map[string][]byte{}}
		eachCached(content, func(raw, refs, _ []byte) { s.entries[string(raw)] = refs })
		return s
	}
	write := func(s *cacheShard) []byte { return s.appendTo([]byte(cacheHeader), keepAll) }
	f.Add(write(&cacheShard{entries: map[string][]byte{"0123": []byte("refs")}}))
	f.Add([]byte(cacheHeader))
	f.Fuzz(func(t *testing.T, content []byte) {
		s := read(content)
		if again := read(write(s)); len(again.entries) != len(s.entries) {
			t.Errorf("%d entries became %d", len(s.entries), len(again.entries))
		}
	})
}

// TestShardsShareAFileOfTheCache: in a large registry several shards have
// digests with the same first byte.
func TestShardsShareAFileOfTheCache(t *testing.T) {
	c := &cache{dir: t.TempDir()}
	list := shards(1024)[:4] // of the first byte 0
	raw := func(i int) []byte { return []byte{0, byte(i * 64), 1} }
	for _, what := range []keep{keepAll, keepUsed} {
		for i, sh := range list {
			s := c.open(registry.SHA256, 0, sh)
			if _, known := s.get(raw(i)); known != (what == keepUsed) {
				t.Errorf("shard %d: known %v", i, known)
			}
			s.put(raw(i), []byte("refs"))
			c.save(s, what)
		}
	}
	for i, sh := range list {
		s := c.open(registry.SHA256, 0, sh)
		if _, known := s.get(raw(i)); !known || len(s.entries) != 1 {
			t.Errorf("shard %d: known %v, %d entries", i, known, len(s.entries))
		}
	}
	if err := c.failed.Load(); err != nil {
		t.Error(*err)
	}
}
