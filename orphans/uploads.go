package orphans

import (
	"context"
	"fmt"

	"github.com/harbordb/harbordb/registry"
)

// manyUploads is from how many unfinished multipart uploads on pushes begin to
// fail: the registry looks for its own among the first thousand.
const manyUploads = 500

// listUploads counts the multipart uploads that nobody has finished. Young
// ones are pushes under way.
func (s *scan) listUploads(ctx context.Context) error {
	if !s.scope.all() {
		return nil
	}
	var all int64
	err := s.tree.Uploads(ctx, func(u registry.Upload) error {
		all++
		if s.age(u.Started) < s.opts.StaleUpload {
			return nil
		}
		p := registry.ParsePath(u.Key)
		since := u.Started
		s.waste.add(MultipartUpload, WasteItem{
			Key: s.tree.Key(u.Key), Repository: p.Repository, Bytes: max(u.Size, 0), Since: &since,
			Detail: "upload id " + u.ID,
		})
		return nil
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		s.gaps.add(registry.Range{Prefix: "(multipart uploads)"}, err)
	}
	if all >= manyUploads {
		s.suspects.add(suspect{
			code: MultipartUpload, severity: Warning, count: all,
			reason: fmt.Sprintf("%d unfinished multipart uploads: from about 1000 on pushes fail", all),
		})
	}
	return nil
}

// checkRepositories compares the repositories of storage with those of the
// database. A folder without a row is normal after a deletion: only one that
// has manifests is worth a word, and then the word stands for all of them.
func (s *scan) checkRepositories(context.Context) error {
	if s.db == nil {
		return nil
	}
	for i, r := range s.repos.all() {
		id := uint32(i + 1)
		manifests := r.revisions.Load()
		if s.owner == databaseOwnsTags {
			manifests = r.ghosts.Load()
		}
		found := suspect{code: RepositoryMismatch, repo: id, count: manifests}
		switch {
		case r.inStorage.Load() && !r.inDatabase && r.artifacts.Load() == 0 && manifests > 0:
			found.reason = fmt.Sprintf("storage has %d manifests of it, the database has no such repository", manifests)
		case r.inDatabase && !r.inStorage.Load() && s.owner == registryOwnsTags:
			if s.gaps.below(registry.RepositoriesFolder + r.name + "/") {
				continue
			}
			found.reason = "the database has it, storage has nothing of it"
		default:
			continue
		}
		s.suspects.add(found)
	}
	return nil
}
