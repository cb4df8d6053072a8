package orphans

import (
	"slices"

	"github.com/harbordb/harbordb/registry"
)

// asManifest judges the bytes of a digest that is a manifest somewhere.
func (j *judge) asManifest() {
	if len(j.live) == 0 {
		return
	}
	s, o := j.scan, j.object
	s.count.needed.Add(1)
	found := suspect{
		digest: cloneDigest(j.d), repos: slices.Clone(j.live), manifest: true, key: o.name,
		got: o.size, want: registry.SizeUnknown, proxy: s.allProxies(j.live),
	}
	if j.row != nil {
		found.want = j.row.size
	}
	switch {
	case j.unseen:
		return
	case !o.exists:
		s.count.missing.Add(1)
		if found.repos = j.withRevision(); len(found.repos) > 0 {
			found.code = ManifestMissing
			s.suspects.add(found)
		}
	case o.hollow:
		found.code = SwiftHollow
		s.suspects.add(found)
	case o.size == 0:
		found.code = ManifestEmpty
		s.suspects.add(found)
	case j.bad, j.row != nil && o.size != registry.SizeUnknown && o.size != j.row.size:
		found.code = ManifestCorrupt
		s.suspects.add(found)
	}
}

// withRevision are the repositories that link the manifest: where even the
// link is gone, the repository itself has been judged.
func (j *judge) withRevision() []uint32 {
	var linked []uint32
	for _, r := range j.records {
		if r.kind() != kindRevision {
			continue
		}
		if _, live := slices.BinarySearch(j.live, r.repo()); live { // in the order of the records
			linked = append(linked, r.repo())
		}
	}
	return linked
}

// asBlob judges the bytes of a digest that manifests need as config or layer.
func (j *judge) asBlob() {
	s, o := j.scan, j.object
	users := append(slices.Clone(j.config.repos), j.layer.repos...)
	if len(users) == 0 || len(j.live) > 0 {
		return
	}
	s.count.needed.Add(1)
	want := max(j.config.size, j.layer.size)
	found := suspect{
		digest: cloneDigest(j.d), repos: users, key: o.name,
		got: o.size, want: want, proxy: s.allProxies(users),
	}
	switch {
	case j.unseen:
		return
	case !o.exists && len(j.config.repos) > 0:
		s.count.missing.Add(1)
		found.code = ConfigMissing
	case !o.exists:
		s.count.missing.Add(1)
		found.code = LayerMissing
	case o.hollow:
		found.code = SwiftHollow
	case o.size == 0 && !j.d.OfNothing():
		found.code = BlobSize
	case want >= 0 && o.size >= 0 && o.size != want:
		found.code = BlobSize
	default:
		return
	}
	s.suspects.add(found)
}

// allProxies reports whether all repositories are proxy caches: what is
// missing there is fetched again.
func (s *scan) allProxies(ids []uint32) bool {
	return len(ids) > 0 && !slices.ContainsFunc(ids, func(id uint32) bool { return !s.repos.get(id).proxy })
}

// asWaste judges what nothing needs. A link of a layer keeps no blob alive:
// garbage collections look at manifests only.
func (j *judge) asWaste() {
	s, o := j.scan, j.object
	if j.used || j.system || !s.scope.all() {
		return
	}
	if !o.exists {
		switch {
		case j.unseen:
		case j.row != nil && !j.row.foreign:
			s.notes.add(BlobRowNoObject, j.d.String())
		case len(j.linked) > 0:
			s.notes.add(LayerLinkDangling, s.repos.name(j.linked[0])+"@"+j.d.String())
		}
		return
	}
	if j.row != nil || s.age(o.modTime) < s.opts.Grace || s.gaps.below(registry.RepositoriesFolder) || j.held() {
		return
	}
	code := GarbageBlob
	if s.owner == databaseOwnsTags {
		code = ObjectNoBlobRow
	}
	since := o.modTime
	item := WasteItem{Key: s.tree.Key(o.name), Bytes: max(o.size, 0), Since: &since}
	if len(j.linked) > 0 {
		item.Repository = s.repos.name(j.linked[0])
	}
	s.waste.add(code, item)
}

// held reports whether a manifest that could not be read may need the blob: a
// lost manifest does not make garbage of its layers.
func (j *judge) held() bool {
	return slices.ContainsFunc(j.linked, func(id uint32) bool { return j.scan.repos.get(id).unreadable.Load() })
}
