package orphans

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/harbordb/harbordb/internal/progress"
	"github.com/harbordb/harbordb/registry"
)

// Swift's sizes of large objects come from listings that lag behind: what is
// wrong with them must be so several times, with pauses.
const (
	swiftTries = 3
	swiftPause = 10 * time.Second
)

// lookAgain takes the second look at everything that seemed wrong, after the
// whole first one and a pause, and drops what is in order or gone now. It
// costs at most two requests a suspect.
func (s *scan) lookAgain(ctx context.Context, db *Database) (err error) {
	list := s.pending()
	s.count.suspects.Store(int64(len(list)))
	if len(list) == 0 {
		return nil
	}
	s.begin("second look", int64(len(list)), progress.Objects)
	if s.opts.Settle > 0 {
		if err := s.wait(ctx, s.opts.Settle); err != nil {
			return err
		}
	}
	a := &again{scan: s}
	if db != nil {
		if err := a.ask(ctx, db, list); err != nil {
			return err
		}
	}
	if err := s.victimsFromStorage(a.withoutRows(list)); err != nil {
		return err
	}
	if err := a.probeAll(ctx, list); err != nil {
		return err
	}
	s.keep(list)
	return nil
}

// pending are all suspects.
func (s *scan) pending() []*suspect {
	list := make([]*suspect, len(s.suspects.list))
	for i := range s.suspects.list {
		list[i] = &s.suspects.list[i]
	}
	return list
}

// keep leaves the suspects that are still wrong. Of a repository that the
// database does not know, its manifests need no word of their own; and where
// none of them is left, or all are young, it is a push under way.
func (s *scan) keep(list []*suspect) {
	ghosts, unknown := make(map[uint32]bool), make(map[uint32]bool)
	for _, x := range list {
		switch {
		case x.cleared:
		case x.code == RevisionNotInDB:
			ghosts[x.repo] = true
		case x.code == RepositoryMismatch:
			unknown[x.repo] = true
		}
	}
	left := make([]suspect, 0, len(list))
	for _, x := range list {
		young := x.code == RepositoryMismatch && s.owner == databaseOwnsTags && !ghosts[x.repo]
		covered := x.code == RevisionNotInDB && unknown[x.repo]
		switch {
		case x.cleared || young:
			s.suspects.count[x.code]--
			s.count.cleared.Add(1)
		case covered:
			s.suspects.count[x.code]--
		default:
			left = append(left, *x)
		}
	}
	s.suspects.list = left
}

// again is the second look under way.
type again struct {
	scan    *scan
	fromDB  bool // the database has artifacts, and was asked for the victims just now
	present *present
	checks  map[string]bool // what the database's checks say now, by code and key
	probes  atomic.Int64
}

// ask reads what a newer transaction says.
func (a *again) ask(ctx context.Context, db *Database, list []*suspect) (err error) {
	q, end, err := db.Begin(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	return a.askIn(ctx, q, db, list)
}

// withoutRows are the suspects whose victims the database has not named. It
// knows all artifacts there are; what they refer to it may have lost.
func (a *again) withoutRows(list []*suspect) []*suspect {
	if !a.fromDB {
		return list
	}
	var rest []*suspect
	for _, x := range list {
		if x.fromRows = len(x.victims) > 0; !x.fromRows && x.seed() != seedManifest {
			rest = append(rest, x)
		}
	}
	return rest
}

func (a *again) probeAll(ctx context.Context, list []*suspect) error {
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(a.scan.opts.Gets)
	for _, x := range list {
		work.Go(func() error {
			still, err := a.stillWrong(ctx, x)
			a.scan.opts.Progress.Add(1)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil { // nobody can say: then nothing is said
				a.scan.gaps.addUnverified(x.key, err)
			}
			x.cleared = !still || err != nil
			return nil
		})
	}
	return work.Wait()
}

// stillWrong looks at what a suspect is about.
func (a *again) stillWrong(ctx context.Context, x *suspect) (bool, error) {
	probe := probes[x.code]
	if x.seed() == seedRows {
		probe = probeRows
	}
	if probe == nil {
		return true, nil
	}
	still, err := probe(ctx, a, x)
	tries := 1
	if x.code == SwiftHollow || x.code == BlobSize && a.scan.tree.Root().Segments != "" {
		tries = swiftTries
	}
	for try := 1; try < tries && still && err == nil && a.scan.opts.Settle > 0; try++ {
		if err := a.scan.wait(ctx, swiftPause); err != nil {
			return false, err
		}
		still, err = probe(ctx, a, x)
	}
	return still, err
}

// state is what one request says of a name.
type state struct {
	exists  bool
	size    int64
	modTime time.Time
	hollow  bool
}

func (a *again) head(ctx context.Context, name string) (state, error) {
	a.probes.Add(1)
	o, err := a.scan.tree.Head(ctx, name)
	if errors.Is(err, registry.ErrNotFound) {
		return state{}, nil
	}
	return state{exists: err == nil, size: o.Size, modTime: o.ModTime, hollow: o.Manifest && o.Size == 0}, err
}

func (a *again) gone(ctx context.Context, name string) (bool, error) {
	st, err := a.head(ctx, name)
	return !st.exists, err
}

// link reads a link; content is nil where there is none.
func (a *again) link(ctx context.Context, name string) (content []byte, err error) {
	a.probes.Add(1)
	content, err = a.scan.tree.Read(ctx, name, registry.MaxLink)
	if errors.Is(err, registry.ErrNotFound) {
		return nil, nil
	}
	if err == nil && content == nil {
		content = []byte{}
	}
	return content, err
}

// wanted reports whether anybody still can ask for what a suspect is about: a
// push that failed or a deletion under way hurts nobody. With Harbor's
// database that is a row; else a manifest's revision link.
func (a *again) wanted(ctx context.Context, x *suspect) (bool, error) {
	switch {
	case x.fromRows:
		return true, nil
	case len(x.victims) == 0 && a.fromDB:
		return false, nil
	case len(x.victims) == 0:
		return a.linkedAnywhere(ctx, x)
	}
	var failed error
	for _, v := range x.victims[:min(len(x.victims), maxWanted)] {
		d, err := registry.ParseDigest(v.Digest)
		if err != nil {
			continue
		}
		gone, err := a.gone(ctx, registry.RevisionPath(v.name(), d))
		if !gone && err == nil {
			return true, nil
		}
		failed = errors.Join(failed, err)
	}
	return false, failed
}

// maxWanted is how many victims are asked before a suspect is cleared; the
// first one nearly always answers.
const maxWanted = 20

// linkedAnywhere is wanted where the manifests that refer to a digest are not
// known by name: the digest is a manifest's own.
func (a *again) linkedAnywhere(ctx context.Context, x *suspect) (bool, error) {
	repos := x.repos
	if x.repo != noRepository {
		repos = []uint32{x.repo}
	}
	var failed error
	for _, id := range repos[:min(len(repos), maxWanted)] {
		gone, err := a.gone(ctx, registry.RevisionPath(a.scan.repos.name(id), x.digest))
		if !gone && err == nil {
			return true, nil
		}
		failed = errors.Join(failed, err)
	}
	return false, failed
}

// name is the repository of a victim with its project.
func (v Victim) name() string {
	if v.Repository == "" {
		return v.Project
	}
	return v.Project + "/" + v.Repository
}

// hashed reads a blob and compares it with its digest; an object that is gone
// or whose algorithm nobody knows is not wrong.
func (a *again) hashed(ctx context.Context, d registry.Digest) (wrong bool, err error) {
	a.probes.Add(1)
	h, ok := d.NewHash()
	if !ok {
		return false, nil
	}
	body, err := a.scan.tree.Get(ctx, registry.BlobPath(d))
	if errors.Is(err, registry.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	_, err = io.Copy(h, body)
	if err = errors.Join(err, body.Close()); err != nil {
		return false, err
	}
	return !slices.Equal(h.Sum(nil), rawDigest(nil, d)), nil
}
