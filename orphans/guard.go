package orphans

import (
	"fmt"

	"github.com/harbordb/harbordb/registry"
)

// From how many needed objects on shares are a sign, and which shares: so many
// missing blobs, or so few artifacts that storage and database have in common,
// are a wrong setting and no damage.
const (
	guardObjects = 25
	guardAll     = 3 // enough where all of them are missing, or unknown
)

// implausible says why the result of the first look cannot be true, or
// nothing.
func (s *scan) implausible() string {
	if s.gaps.below(registry.BlobsFolder) && s.count.blobs.Load() == 0 {
		return "" // nothing could be read: the gaps say so, and nothing follows from them
	}
	for _, sign := range []func() string{s.emptyHalf, s.emptyScope, s.strangeDatabase, s.strangeRepositories, s.manyMissing} {
		if why := sign(); why != "" {
			return why
		}
	}
	return ""
}

func (s *scan) emptyHalf() string {
	if !s.scope.all() || s.gaps.any() {
		return ""
	}
	root := s.tree.Key("")
	revisions, blobs := s.count.revisions.Load(), s.count.blobs.Load()
	switch {
	case blobs == 0 && revisions > 0:
		return fmt.Sprintf("there is nothing in %s%s, but %d manifests in %s%s: this is not all of the registry's data",
			root, registry.BlobsFolder, revisions, root, registry.RepositoriesFolder)
	case blobs > 0 && !s.anyInStorage():
		return fmt.Sprintf("there is nothing in %s%s, but %d blobs in %s%s: this is not all of the registry's data, or a registry that keeps its repositories elsewhere",
			root, registry.RepositoriesFolder, blobs, root, registry.BlobsFolder)
	}
	return ""
}

func (s *scan) anyInStorage() bool {
	for _, r := range s.repos.all() {
		if r.inStorage.Load() {
			return true
		}
	}
	return false
}

func (s *scan) emptyScope() string {
	if s.scope.all() || s.anyInStorage() || s.gaps.any() {
		return ""
	}
	for _, r := range s.repos.all() {
		if r.inDatabase || r.artifacts.Load() > 0 {
			return ""
		}
	}
	where := "storage has"
	if s.db != nil {
		where = "neither storage nor the database has"
	}
	return fmt.Sprintf("%s nothing of %s", where, s.scope)
}

// strangeDatabase compares the manifests of storage with the artifacts of the
// database: those of one Harbor have most of them in common.
func (s *scan) strangeDatabase() string {
	if s.owner != databaseOwnsTags || !s.scope.all() {
		return ""
	}
	artifacts, found := s.count.artifacts.Load(), s.count.artifactsFound.Load()
	revisions, known := s.count.revisions.Load(), s.count.revisionsKnown.Load()
	switch {
	case artifacts == 0 && s.ghosts() >= guardAll:
		return fmt.Sprintf("the database has no artifacts, storage has %d manifests: this is an empty database, or another Harbor's", revisions)
	case artifacts > 0 && revisions > 0 && 2*found < artifacts && 2*known < revisions:
		return fmt.Sprintf("of %d artifacts in the database storage has %d, of %d manifests in storage the database knows %d: they are not of the same Harbor",
			artifacts, found, revisions, known)
	}
	return ""
}

// ghosts counts the manifests that the database does not know, deleted ones
// aside.
func (s *scan) ghosts() (n int64) {
	for _, r := range s.repos.all() {
		n += r.ghosts.Load()
	}
	return n
}

// strangeRepositories does the same with the names of repositories, which is
// all that the databases of old releases have.
func (s *scan) strangeRepositories() string {
	if s.db == nil || s.owner == databaseOwnsTags || !s.scope.all() {
		return ""
	}
	var stored, rows, common int
	for _, r := range s.repos.all() {
		if r.inStorage.Load() && r.revisions.Load() > 0 {
			stored++
		}
		if r.inDatabase {
			rows++
		}
		if r.inStorage.Load() && r.inDatabase {
			common++
		}
	}
	if stored > 0 && rows > 0 && 2*common < rows && 2*common < stored {
		return fmt.Sprintf("of %d repositories in the database and %d in storage, %d are the same: they are not of the same Harbor",
			rows, stored, common)
	}
	return ""
}

func (s *scan) manyMissing() string {
	needed, missing := s.count.needed.Load(), s.count.missing.Load()
	if missing >= guardObjects && 5*missing > needed || missing >= guardAll && missing == needed {
		return fmt.Sprintf("%d of the %d manifests and blobs that are needed are missing: storage is not all there, or not the one that belongs to these repositories",
			missing, needed)
	}
	return ""
}
