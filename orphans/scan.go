package orphans

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"

	"github.com/harbordb/harbordb/internal/fault"
	"github.com/harbordb/harbordb/internal/progress"
	"github.com/harbordb/harbordb/registry"
)

// scan is one scan under way.
type scan struct {
	opts  Options
	tree  *registry.Tree
	scope scope
	db    *snapshot // nil without a database
	owner tagOwner

	room *room
	// facts are what listings and the database say, refs what manifests
	// refer to, manifests the same by the manifest that refers, segments
	// the names of Swift's.
	facts, refs, manifests, segments *spool

	repos    *repos
	gaps     gaps
	sums     sums
	suspects *suspects
	notes    *notes
	waste    *waste
	absent   absentees
	count    counters

	// sizesLeft is how many objects that are listed with 0 bytes may still
	// be asked for their size.
	sizesLeft atomic.Int64
	cache     cache
}

// counters are Stats while they grow.
type counters struct {
	keys, tags, revisions, layerLinks, manifests, blobs, blobBytes,
	artifacts, manifestReads, cacheHits, linksProved, linksAssumed, linksRead,
	hashedBlobs, hashedBytes, suspects, cleared, sizesUnknown,
	// For the guard: manifests and blobs that are needed, those of them
	// that are gone, artifacts that storage has, revisions that have a row.
	needed, missing, artifactsFound, revisionsKnown atomic.Int64
}

// maxSizes bounds the requests for sizes that a listing does not tell, which
// are one for each blob in Swift. Deeper scans ask for all.
const maxSizes = 100_000

// Scan compares storage with the database, if there is one, and with itself.
//
// It returns a report also where something could not be read or the result is
// not plausible; the report says so, and the caller has to: such a scan has
// not finished. An error means that there is no result at all.
func Scan(ctx context.Context, tree *registry.Tree, db *Database, o Options) (*Report, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	within, err := newScope(o.Project, o.Repository)
	if err != nil {
		return nil, err
	}
	s := &scan{
		opts: o, tree: tree, scope: within,
		room: newRoom(o.TempDir, o.Memory), repos: newRepos(),
		suspects: newSuspects(), notes: newNotes(), waste: newWaste(tree),
	}
	s.facts, s.refs, s.manifests, s.segments = s.room.newSpool(), s.room.newSpool(), s.room.newSpool(), s.room.newSpool()
	s.sizesLeft.Store(maxSizes)
	s.cache.dir = o.CacheDir
	report, err := s.run(ctx, db)
	return report, errors.Join(err, s.room.close())
}

// run does the steps of a scan in the order in which nothing in flight can
// look like damage.
func (s *scan) run(ctx context.Context, db *Database) (*Report, error) {
	if err := s.look(ctx, db); err != nil {
		return nil, err
	}
	report := s.newReport(db)
	if report.Implausible = s.implausible(); report.Implausible != "" && !s.opts.Anyway {
		return report, nil
	}
	if err := s.lookAgain(ctx, db); err != nil {
		return nil, err
	}
	s.fill(report)
	return report, nil
}

// look takes the first look at everything.
func (s *scan) look(ctx context.Context, db *Database) (err error) {
	if db != nil {
		end, err := s.openSnapshot(ctx, db)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, end()) }()
	}
	for _, step := range []func(context.Context) error{
		s.readDatabase, s.listRepositories, s.readManifests, s.joinBlobs, s.checkIndexes,
		s.listUploads, s.checkRepositories, s.checkDatabase, s.verifyData, s.checkSegments, s.checkCharts,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// begin starts a phase of progress.
func (s *scan) begin(phase string, total int64, unit progress.Unit) {
	s.opts.Progress.Begin(phase, total, unit)
}

// scope is the project or the repository that a scan keeps to.
type scope struct{ project, repository string }

func newScope(project, repository string) (scope, error) {
	project, repository = strings.Trim(project, "/"), strings.Trim(repository, "/")
	if project != "" && strings.Contains(project, "/") {
		return scope{}, fault.Usagef("%q is no project: a project's name has no slash", project).
			WithHint("name a repository with --repository")
	}
	if repository == "" {
		return scope{project: project}, nil
	}
	if project != "" && !strings.HasPrefix(repository, project+"/") {
		repository = project + "/" + repository
	}
	return scope{repository: repository}, nil
}

// all reports whether nothing is left out.
func (s scope) all() bool { return s == scope{} }

// String names the scope; it is empty for everything.
func (s scope) String() string { return s.project + s.repository }

// holds reports whether a repository is in the scope.
func (s scope) holds(repository string) bool {
	if s.repository != "" {
		return repository == s.repository
	}
	project, _ := splitProject(repository)
	return s.project == "" || project == s.project
}

// prefix is the part of the tree that the scope's repositories lie in.
func (s scope) prefix() string {
	switch {
	case s.repository != "":
		return registry.RepositoriesFolder + s.repository + "/"
	case s.project != "":
		return registry.RepositoriesFolder + s.project + "/"
	}
	return registry.RepositoriesFolder
}
