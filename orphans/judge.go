package orphans

import (
	"bytes"
	"slices"

	"github.com/harbordb/harbordb/registry"
)

// judge decides what is wrong about one digest, from everything that is known
// of it. It is used by one goroutine.
type judge struct {
	scan    *scan
	records []record

	d      registry.Digest
	object object
	row    *objectRow // of table blob
	system bool
	bad    bool // the manifest was read and is damaged
	unseen bool // the object lies in a gap: nothing follows from its absence

	live   []uint32 // repositories in which it is a manifest that can be pulled
	config needs    // repositories whose manifests need it, by role
	layer  needs
	used   bool     // something refers to it, however weakly, or links it as a manifest
	linked []uint32 // repositories with a layer link
	repo   inRepo
	nameOf string // of the repository at hand
}

// needs are the repositories that need a blob, and the sizes that their
// manifests give it.
type needs struct {
	repos []uint32
	size  int64 // SizeUnknown until a manifest says it
}

// inRepo is what is known of the digest in one repository.
type inRepo struct {
	id              uint32
	revision, layer linkState
	revisionGone    bool // there is the folder of a revision, empty
	artifact, trash bool
	referrer        bool
	tags, tagIndex  [][]byte
	tagRows         [][]byte
	config, layers  bool // strong references in this repository, by role
	child, subject  bool
	size            int64
}

// digest judges all records of one digest.
func (j *judge) digest(d registry.Digest, records []record, o object) {
	j.d, j.object, j.records = d, o, records
	j.row, j.system, j.bad, j.used = nil, false, false, false
	j.live, j.linked = j.live[:0], j.linked[:0]
	j.config = needs{repos: j.config.repos[:0], size: registry.SizeUnknown}
	j.layer = needs{repos: j.layer.repos[:0], size: registry.SizeUnknown}
	j.unseen = !o.exists && j.scan.gaps.covers(o.name)
	for i := 0; i < len(records); {
		end := i + 1
		for end < len(records) && records[end].repo() == records[i].repo() {
			end++
		}
		if records[i].repo() == noRepository {
			j.readGlobal(records[i:end])
		} else {
			j.readRepo(records[i:end])
			j.inRepository()
		}
		i = end
	}
	j.asManifest()
	j.asBlob()
	j.asWaste()
}

func (j *judge) readGlobal(records []record) {
	for _, r := range records {
		switch r.kind() {
		case kindObjectRow:
			row := decodeObjectRow(r.payload())
			j.row = &row
		case kindSystem:
			j.system = true
		case kindBadManifest:
			j.bad = true
		}
	}
}

func (j *judge) readRepo(records []record) {
	f := &j.repo
	*f = inRepo{
		id: records[0].repo(), size: registry.SizeUnknown,
		tags: f.tags[:0], tagIndex: f.tagIndex[:0], tagRows: f.tagRows[:0],
	}
	j.nameOf = j.scan.repos.name(f.id)
	for _, r := range records {
		switch r.kind() {
		case kindRevision:
			f.revision = linkState(r.payload()[0])
		case kindRevisionGone:
			f.revisionGone = true
		case kindLayer:
			f.layer = linkState(r.payload()[0])
		case kindTag:
			f.tags = append(f.tags, r.payload()[1:])
		case kindTagIndex:
			f.tagIndex = append(f.tagIndex, r.payload())
		case kindTagRow:
			f.tagRows = append(f.tagRows, r.payload())
		case kindArtifact:
			f.artifact = true
		case kindTrash:
			f.trash = true
		case kindReferrer:
			f.referrer = true
		case kindRef:
			j.readRef(decodeReference(r.payload()))
		}
	}
}

func (j *judge) readRef(ref reference) {
	f := &j.repo
	if ref.role != registry.RoleSubject {
		j.used = true
	}
	if ref.role == registry.RoleSubject {
		f.subject = true
	}
	if ref.weak || ref.foreign {
		return
	}
	switch ref.role {
	case registry.RoleConfig:
		f.config = true
	case registry.RoleLayer:
		f.layers = true
	case registry.RoleChild:
		f.child = true
	}
	if ref.size > f.size {
		f.size = ref.size
	}
}

// isLive: the repository's users can ask for this manifest.
func (j *judge) isLive() bool {
	if j.scan.owner == databaseOwnsTags {
		return j.repo.artifact
	}
	return j.repo.revision != linkNone
}

// inRepository judges what concerns one repository.
func (j *judge) inRepository() {
	f := &j.repo
	if f.revision != linkNone || len(f.tags) > 0 || f.artifact {
		j.used = true
	}
	if f.layer != linkNone {
		j.linked = append(j.linked, f.id)
	}
	if f.artifact && f.revision != linkNone {
		j.scan.count.artifactsFound.Add(1)
		j.scan.count.revisionsKnown.Add(1)
	}
	j.links()
	if j.isLive() {
		j.live = append(j.live, f.id)
	}
	j.revision()
	j.tagsOfStorage()
	j.tagsOfRows()
	j.references()
}

// links judges the content of links.
func (j *judge) links() {
	f := &j.repo
	switch {
	case f.revision.bad():
		j.suspect(RevisionLinkBad, registry.RevisionPath(j.nameOf, j.d))
	case f.revision == linkOther:
		j.suspect(LinkMismatch, registry.RevisionPath(j.nameOf, j.d))
	}
	switch {
	case f.layer.bad():
		j.suspect(LayerLinkBad, registry.LayerPath(j.nameOf, j.d))
	case f.layer == linkOther:
		j.suspect(LinkMismatch, registry.LayerPath(j.nameOf, j.d))
	}
}

// suspect adds a suspect of the repository at hand, about a name.
func (j *judge) suspect(code Code, name string) {
	j.scan.suspects.add(suspect{
		code: code, digest: cloneDigest(j.d), repo: j.repo.id, key: name, proxy: j.scan.repos.get(j.repo.id).proxy,
	})
}

// revision judges revision links against the database's artifacts.
func (j *judge) revision() {
	f := &j.repo
	if j.scan.owner != databaseOwnsTags {
		j.untagged()
		return
	}
	name := registry.RevisionPath(j.nameOf, j.d)
	switch {
	case f.artifact && f.revision == linkNone:
		if j.scan.gaps.covers(name) || j.unseen {
			return
		}
		if j.object.exists {
			j.suspect(RevisionLinkMissing, name)
		} else {
			j.suspect(ArtifactNoStorage, name)
		}
	case !f.artifact && f.revision != linkNone && f.trash:
		j.scan.notes.add(TrashResidue, j.nameOf+"@"+j.d.String())
	case !f.artifact && f.revision != linkNone:
		j.scan.repos.get(f.id).ghosts.Add(1)
		j.suspect(RevisionNotInDB, name)
	}
}

// untagged notes, in a deep scan, manifests that nothing but their digest leads
// to: a matter of policy, not of damage.
func (j *judge) untagged() {
	f := &j.repo
	if f.revision != linkNone && len(f.tags) == 0 && !f.referrer && !f.child && !f.subject && j.scan.opts.Depth != Metadata {
		j.scan.notes.add(GarbageManifest, j.nameOf+"@"+j.d.String())
	}
}

// tagsOfStorage judges the tags that mean this digest, and have meant it.
func (j *judge) tagsOfStorage() {
	f := &j.repo
	if len(f.tags) == 0 && len(f.tagIndex) == 0 {
		return
	}
	gone := f.revision == linkNone && !j.scan.gaps.covers(registry.RevisionPath(j.nameOf, j.d))
	// Registry 2.1.0 linked manifests like layers, and up to 2.8 they are
	// found there.
	readable := f.layer.readable() && j.object.exists
	if gone && !readable && !f.artifact {
		for _, tag := range f.tags {
			j.scan.suspects.add(suspect{
				code: TagDangling, digest: cloneDigest(j.d), repo: f.id, tag: string(tag),
				reason: objectState(j.object),
			})
		}
	}
	if gone && !readable || !j.object.exists && !j.unseen {
		for _, tag := range f.tagIndex {
			j.scan.notes.add(TagIndexDangling, j.scan.tree.Key(registry.TagIndexPath(j.nameOf, string(tag), j.d)))
		}
	}
}

func objectState(o object) string {
	if o.exists {
		return "its bytes are there"
	}
	return "its bytes are gone, too"
}

// tagsOfRows judges the rows that Harbor 1.9 and 1.10 have for each tag.
func (j *judge) tagsOfRows() {
	for _, tag := range j.repo.tagRows {
		same := func(t []byte) bool { return bytes.Equal(t, tag) }
		name := registry.TagCurrentPath(j.nameOf, string(tag))
		if !slices.ContainsFunc(j.repo.tags, same) && !j.scan.gaps.covers(name) {
			j.scan.suspects.add(suspect{code: TagDiffers, digest: cloneDigest(j.d), repo: j.repo.id, tag: string(tag), key: name})
		}
	}
}

// references judges what manifests of the repository refer to.
func (j *judge) references() {
	f := &j.repo
	switch {
	case f.config:
		j.config.add(f)
	case f.layers:
		j.layer.add(f)
	}
	if (f.config || f.layers) && j.object.exists && f.layer == linkNone {
		if name := registry.LayerPath(j.nameOf, j.d); !j.scan.gaps.covers(name) {
			j.suspect(LayerLinkMissing, name)
		}
	}
	if f.child {
		j.child()
	}
	if f.subject && f.revision == linkNone && !f.artifact {
		j.scan.notes.add(SubjectMissing, j.nameOf+"@"+j.d.String())
	}
}

func (n *needs) add(f *inRepo) {
	n.repos = append(n.repos, f.id)
	n.size = max(n.size, f.size)
}

// child judges a child of an index. The database knows its children as
// artifacts of their own; a child that it does not know was never there. In
// storage a child that has left no trace was never there, too: mirrors take
// some platforms only. The index of a build cache has layers as children.
func (j *judge) child() {
	f := &j.repo
	if j.scan.owner == databaseOwnsTags {
		return
	}
	name := registry.RevisionPath(j.nameOf, j.d)
	switch {
	case f.layer != linkNone && f.revision == linkNone:
		j.layer.add(f)
	case f.revision != linkNone || j.unseen || j.scan.gaps.covers(name):
		return
	case j.object.exists || f.revisionGone:
		j.suspect(ChildMissing, name)
	default:
		j.scan.absent.add(j.d, f.id)
		j.scan.notes.add(ChildMissing, j.nameOf+"@"+j.d.String())
	}
}
