package orphans

import (
	"context"
	"errors"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/harbordb/harbordb/internal/progress"
	"github.com/harbordb/harbordb/registry"
)

// repoKeys takes the names below repositories/ of one span and makes records
// of them. Tags and uploads are put together from the names of their folders,
// which a span never parts.
type repoKeys struct {
	scan *scan
	ctx  context.Context
	// reads runs what needs the content of a link, beside the listing.
	reads *errgroup.Group

	repo     uint32 // of the last name: the next one mostly has the same
	repoName string
	tag      tagKeys
	upload   uploadKeys
	counts   keyCounts
}

// keyCounts are added to the scan's now and then, not with every key.
type keyCounts struct{ keys, revisions, layers, proved, assumed int64 }

// tagKeys are the names of one tag.
type tagKeys struct {
	repo    uint32
	name    string
	current registry.Object // Key is empty where there is none
	index   []registry.Digest
}

// uploadKeys are the names of one upload.
type uploadKeys struct {
	repo    uint32
	id      string
	newest  time.Time
	started bool // there is a startedat that a registry can read
	bytes   int64
	keys    int
}

// listRepositories makes records of everything below repositories/.
func (s *scan) listRepositories(ctx context.Context) error {
	s.begin("repositories", 0, progress.Keys)
	reads, readCtx := errgroup.WithContext(ctx)
	reads.SetLimit(s.opts.Gets)
	err := s.listSpans(readCtx, s.scope.prefix(), func() sink {
		return &repoKeys{scan: s, ctx: readCtx, reads: reads}
	})
	return errors.Join(reads.Wait(), err)
}

func (k *repoKeys) object(o registry.Object) error {
	if k.counts.keys++; k.counts.keys >= 512 {
		k.flushCounts()
	}
	p := registry.ParsePath(o.Key)
	if o.Irregular {
		p = registry.Path{Kind: registry.Unknown}
	}
	if p.Repository != "" && !k.scan.scope.holds(p.Repository) {
		return k.leave(registry.Path{})
	}
	if err := k.leave(p); err != nil {
		return err
	}
	repo := noRepository
	if p.Repository != "" {
		repo = k.repository(p.Repository)
	}
	return k.take(o, p, repo)
}

// take makes a record of one name, or keeps it for its tag or upload.
func (k *repoKeys) take(o registry.Object, p registry.Path, repo uint32) error {
	s := k.scan
	switch p.Kind {
	case registry.Revision:
		k.counts.revisions++
		s.repos.get(repo).revisions.Add(1)
		return k.link(o, p.Digest, repo, kindRevision)
	case registry.Layer:
		k.counts.layers++
		return k.link(o, p.Digest, repo, kindLayer)
	case registry.RevisionFolder:
		s.waste.folder(o)
		return s.facts.add(p.Digest, repo, kindRevisionGone, nil)
	case registry.Signature:
		return s.facts.add(p.Digest, repo, kindRef, reference{role: registry.RoleLayer, weak: true, size: registry.SizeUnknown}.encode(nil))
	case registry.TagCurrent:
		k.tag.current = o
	case registry.TagIndex:
		k.tag.index = append(k.tag.index, p.Digest)
	case registry.UploadStarted, registry.UploadData, registry.UploadHashState, registry.UploadFolder:
		k.upload.add(o, p.Kind)
		if p.Kind == registry.UploadData && s.wantsSegments() {
			name := strings.Clone(o.Key)
			k.reads.Go(func() error { return s.askSegments(k.ctx, name) })
		}
	case registry.Litter:
		s.waste.object(TempFiles, o, "")
	case registry.LayerFolder, registry.TagIndexFolder:
		s.waste.folder(o)
	case registry.Folder:
		// A push leaves the folder of uploads empty.
		if o.Key != registry.RepositoriesFolder && !strings.HasSuffix(o.Key, "/_uploads/") {
			s.waste.folder(o)
		}
	case registry.Unknown:
		s.notes.add(UnknownObject, s.tree.Key(o.Key))
	}
	return nil
}

// leave finishes the tag or the upload before a name that is not part of it,
// and begins the one that the name is part of.
func (k *repoKeys) leave(p registry.Path) error {
	if k.tag.name != "" && (p.Tag != k.tag.name || p.Repository != k.repoName) {
		if err := k.endTag(); err != nil {
			return err
		}
	}
	if k.upload.id != "" && (p.Upload != k.upload.id || p.Repository != k.repoName) {
		k.endUpload()
	}
	if p.Tag != "" && k.tag.name == "" {
		k.tag = tagKeys{repo: k.repository(p.Repository), name: p.Tag}
	}
	if p.Upload != "" && k.upload.id == "" {
		k.upload = uploadKeys{repo: k.repository(p.Repository), id: p.Upload}
	}
	return nil
}

func (k *repoKeys) repository(name string) uint32 {
	if name != k.repoName {
		k.repo, k.repoName = k.scan.repos.id(name), name
		k.scan.repos.get(k.repo).inStorage.Store(true)
	}
	return k.repo
}

// end finishes what the last names belong to.
func (k *repoKeys) end() error {
	err := k.leave(registry.Path{})
	k.flushCounts()
	return err
}

func (k *repoKeys) flushCounts() {
	s := k.scan
	s.count.keys.Add(k.counts.keys)
	s.count.revisions.Add(k.counts.revisions)
	s.count.layerLinks.Add(k.counts.layers)
	s.count.linksProved.Add(k.counts.proved)
	s.count.linksAssumed.Add(k.counts.assumed)
	s.opts.Progress.Add(k.counts.keys)
	k.counts = keyCounts{}
}

// link records a link whose path says what it should hold.
func (k *repoKeys) link(o registry.Object, d registry.Digest, repo uint32, as kind) error {
	state := k.judge(o, d)
	if state != linkNone {
		return k.scan.facts.add(d, repo, as, []byte{byte(state)})
	}
	name := strings.Clone(o.Key)
	d = cloneDigest(d)
	k.reads.Go(func() error {
		content, state, err := k.scan.readLink(k.ctx, name)
		if err != nil || state == linkNone {
			return err
		}
		if state == linkProved {
			if !content.SameFolders(d) {
				state = linkOther
			} else if len(o.MD5) > 0 && o.Size == registry.LinkSize(d) {
				k.scan.sums.wrong()
			}
		}
		return k.scan.facts.add(d, repo, as, []byte{byte(state)})
	})
	return nil
}

// judge says what the listing proves of a link to d; linkNone means that it
// has to be read.
func (k *repoKeys) judge(o registry.Object, d registry.Digest) linkState {
	switch {
	case o.Size == 0:
		return linkEmpty
	case o.Size != registry.LinkSize(d):
		return linkNone
	case k.scan.sums.trusted() && len(o.MD5) > 0:
		if registry.LinkMD5(d) == [16]byte(o.MD5) {
			k.counts.proved++
			k.scan.sums.right()
			return linkProved
		}
		return linkNone
	case k.scan.opts.Depth != Metadata:
		return linkNone
	}
	k.counts.assumed++
	return linkAssumed
}

func cloneDigest(d registry.Digest) registry.Digest {
	return registry.Digest{Algorithm: strings.Clone(d.Algorithm), Hex: strings.Clone(d.Hex)}
}

func (u *uploadKeys) add(o registry.Object, kind registry.Kind) {
	u.keys++
	if o.ModTime.After(u.newest) {
		u.newest = o.ModTime
	}
	switch kind {
	case registry.UploadStarted:
		u.started = o.Size > 0
		u.bytes += o.Size
	case registry.UploadData, registry.UploadHashState:
		u.bytes += o.Size
	}
}

// endUpload reports the upload if nobody will finish it. Without a startedat
// the registry's own purge takes it for an upload of the future and never
// removes it.
func (k *repoKeys) endUpload() {
	u := k.upload
	k.upload = uploadKeys{}
	s := k.scan
	age := s.age(u.newest)
	if age < s.opts.Grace || u.started && age < s.opts.StaleUpload {
		return
	}
	name := s.repos.name(u.repo)
	item := WasteItem{
		Key: s.tree.Key(registry.UploadPath(name, u.id)), Repository: name,
		Bytes: u.bytes, Since: &u.newest,
	}
	if !u.started {
		item.Detail = "no readable startedat: the registry's purge never removes it"
	}
	s.waste.add(StaleUpload, item)
}
