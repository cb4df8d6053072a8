package orphans

import (
	"context"
	"slices"
	"sync"

	"github.com/harbordb/harbordb/registry"
)

// absentees are children of indexes that have left no trace in a repository.
// Where an index has others, a mirror has left these out; where it has none,
// it is of no use: the registry's own garbage collection removed the children
// of indexes until 3.0. Safe for concurrent use.
type absentees struct {
	mu    sync.Mutex
	repos map[registry.Digest][]uint32
}

func (a *absentees) add(d registry.Digest, repo uint32) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.repos == nil {
		a.repos = make(map[registry.Digest][]uint32)
	}
	if len(a.repos) < maxSuspects {
		d = cloneDigest(d)
		a.repos[d] = append(a.repos[d], repo)
	}
}

// checkIndexes finds indexes of which no child is there.
func (s *scan) checkIndexes(context.Context) error {
	if len(s.absent.repos) == 0 {
		return nil
	}
	return s.eachManifest(func(d registry.Digest, refs []registry.Reference) error {
		repos, first, children := s.absent.allOf(refs)
		for _, id := range repos {
			s.suspects.add(suspect{
				code: ChildMissing, digest: first, repo: id, repos: []uint32{id},
				key:    registry.RevisionPath(s.repos.name(id), first),
				count:  int64(children),
				reason: "none of the children of " + d.String() + " is there",
			})
		}
		return nil
	})
}

// allOf returns the repositories in which all children of a list are absent.
func (a *absentees) allOf(refs []registry.Reference) (repos []uint32, first registry.Digest, children int) {
	for _, ref := range refs {
		if ref.Role != registry.RoleChild {
			continue
		}
		in, ok := a.repos[ref.Digest]
		if !ok {
			return nil, first, 0
		}
		if children++; children == 1 {
			first, repos = ref.Digest, slices.Clone(in)
			continue
		}
		repos = slices.DeleteFunc(repos, func(id uint32) bool { return !slices.Contains(in, id) })
	}
	return repos, first, children
}

// eachManifest calls f for every manifest whose references were read or came
// from the cache. A manifest with very many references comes in parts.
func (s *scan) eachManifest(f func(registry.Digest, []registry.Reference) error) error {
	for _, algorithm := range s.manifests.algorithms() {
		for first := range partitions {
			var failed error
			err := s.manifests.each(algorithm, byte(first), func(r record) {
				if failed != nil {
					return
				}
				refs, err := decodeReferences(r.payload())
				if err == nil {
					err = f(digestOf(algorithm, r.digest()), refs)
				}
				failed = err
			})
			if err != nil {
				return err
			}
			if failed != nil {
				return failed
			}
		}
	}
	return nil
}
