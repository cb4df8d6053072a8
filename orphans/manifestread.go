package orphans

import (
	"context"
	"errors"
	"hash/maphash"
	"slices"
	"sync/atomic"

	"github.com/harbordb/harbordb/registry"
)

// read reads and hashes a manifest and records what it refers to.
func (m *manifestShard) read(ctx context.Context, task manifestTask, file *cacheShard) error {
	s := m.scan
	d := digestOf(m.algorithm, task.raw)
	name := registry.BlobPath(d)
	body, err := s.tree.Read(ctx, name, registry.MaxManifest)
	s.count.manifestReads.Add(1)
	s.opts.Progress.Add(1)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil && !errors.Is(err, registry.ErrNotFound):
		s.gaps.add(registry.Range{Prefix: name}, err)
		fallthrough
	case err != nil, len(body) == 0: // the join will see it
		m.unreadable(task)
		return nil
	}
	if h, ok := d.NewHash(); ok {
		h.Write(body)
		if sum := h.Sum(nil); !slices.Equal(sum, task.raw) {
			m.unreadable(task)
			return s.facts.add(d, noRepository, kindBadManifest, nil)
		}
	}
	manifest, err := registry.ParseManifest(body)
	if err != nil { // the right bytes, of a kind that is not known here
		m.unreadable(task)
		s.notes.add(UnknownObject, s.tree.Key(name))
		return nil
	}
	var list []byte
	for _, ref := range manifest.References {
		list = appendReference(list, ref)
	}
	m.filesMu.Lock()
	file.put(task.raw, list)
	m.filesMu.Unlock()
	return m.recordManifest(task, manifest.References)
}

// unreadable notes that nobody knows what a manifest refers to: what its
// repositories link is not garbage then.
func (m *manifestShard) unreadable(task manifestTask) {
	if task.known {
		return
	}
	for _, h := range task.holders {
		m.scan.repos.get(h.repo).unreadable.Store(true)
	}
}

// manifestRefs is how many references one record has; longer lists become
// several.
const manifestRefs = 200

// recordManifest records what a manifest refers to: by what is referred to,
// for the join, and by the manifest, for the victims.
func (m *manifestShard) recordManifest(task manifestTask, refs []registry.Reference) error {
	s := m.scan
	for _, ref := range refs {
		err := m.record(task.holders, ref.Digest, reference{role: ref.Role, foreign: ref.Foreign, size: ref.Size})
		if err == nil && ref.Role == registry.RoleSubject {
			err = m.recordReferrer(task)
		}
		if err != nil {
			return err
		}
	}
	if task.known {
		m.compare(task, refs)
	} else {
		s.count.manifests.Add(1)
	}
	for part := range slices.Chunk(refs, manifestRefs) {
		var list []byte
		for _, ref := range part {
			list = appendReference(list, ref)
		}
		if err := s.manifests.addRaw(m.algorithm, task.raw, noRepository, kindManifest, list); err != nil {
			return err
		}
	}
	return nil
}

func (m *manifestShard) recordReferrer(task manifestTask) error {
	for _, h := range task.holders {
		if err := m.scan.facts.addRaw(m.algorithm, task.raw, h.repo, kindReferrer, nil); err != nil {
			return err
		}
	}
	return nil
}

// compare finds what a manifest refers to and the database does not know of
// it: the next garbage collection takes it away.
func (m *manifestShard) compare(task manifestTask, refs []registry.Reference) {
	for _, ref := range refs {
		if ref.Foreign || ref.Role == registry.RoleSubject || ref.Role == registry.RoleChild || slices.Contains(task.rows, ref.Digest) {
			continue
		}
		found := suspect{
			code: ArtifactBlobMissing, digest: ref.Digest,
			reason: "the manifest " + digestOf(m.algorithm, task.raw).String() + " refers to it, its rows in artifact_blob do not",
		}
		for _, h := range task.holders {
			if !h.weak {
				found.repos = append(found.repos, h.repo)
			}
		}
		m.scan.suspects.add(found)
	}
}

// file returns the cache's file for digests with this first byte.
func (m *manifestShard) file(first byte) *cacheShard {
	if m.files[first] == nil {
		m.files[first] = m.scan.cache.open(m.algorithm, first, m.shard)
	}
	return m.files[first]
}

// saveCache writes what is new.
func (m *manifestShard) saveCache() {
	what := keepAll
	if m.scan.scope.all() && m.scan.db == nil && !m.scan.gaps.any() {
		what = keepUsed
	}
	for _, file := range m.files {
		m.scan.cache.save(file, what)
	}
}

// dedup remembers what has been recorded lately: most manifests of a
// repository share layers. It may forget and it never invents, so what is
// recorded twice is the only harm.
type dedup struct {
	seed  maphash.Seed
	slots []atomic.Uint64
}

const dedupSlots = 1 << 15

func newDedup() *dedup {
	return &dedup{seed: maphash.MakeSeed(), slots: make([]atomic.Uint64, dedupSlots)}
}

// seen reports whether the same was asked before and is still remembered.
func (t *dedup) seen(d registry.Digest, repo uint32, payload []byte) bool {
	var h maphash.Hash
	h.SetSeed(t.seed)
	h.WriteString(d.Algorithm)
	h.WriteString(d.Hex)
	h.Write([]byte{byte(repo), byte(repo >> 8), byte(repo >> 16), byte(repo >> 24)})
	h.Write(payload)
	sum := h.Sum64() | 1 // 0 is an empty slot
	return t.slots[sum>>1%dedupSlots].Swap(sum) == sum
}
