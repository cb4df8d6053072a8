package orphans

import (
	"slices"
	"strings"

	"github.com/harbordb/harbordb/registry"
)

// seed says what the victims of a finding are found by.
type seed int

const (
	seedNone     seed = iota
	seedTag           // the tag itself
	seedManifest      // the artifacts of the digest, and the indexes that have them
	seedBlob          // the artifacts that refer to the digest, and so on
	seedRows          // the rows that the database's check has named
)

// seeds are the ways of the codes; others have no victims.
var seeds = map[Code]seed{
	TagCurrentMissing: seedTag, TagLinkMalformed: seedTag, TagDangling: seedTag, TagDiffers: seedTag,
	RevisionLinkMissing: seedManifest, RevisionLinkBad: seedManifest, ArtifactNoStorage: seedManifest,
	ManifestMissing: seedManifest, ManifestEmpty: seedManifest, ManifestCorrupt: seedManifest,
	ConfigMissing: seedBlob, LayerMissing: seedBlob, BlobSize: seedBlob, BlobCorrupt: seedBlob,
	LayerLinkMissing: seedBlob, LayerLinkBad: seedBlob, ChildMissing: seedBlob,
	ArtifactSize: seedRows, ArtifactBlobMissing: seedRows, AssociationMissing: seedRows,
	BlobStatus: seedRows, ReferenceRowMissing: seedRows,
}

func (s *suspect) seed() seed {
	switch {
	case s.code == SwiftHollow && s.manifest:
		return seedManifest
	case s.code == SwiftHollow:
		return seedBlob
	case s.code == ArtifactBlobMissing && len(s.artifacts) == 0: // found by reading the manifest
		return seedBlob
	}
	return seeds[s.code]
}

// hits reports whether a repository is one of those that suffer.
func (s *suspect) hits(repo uint32) bool {
	return s.repo == repo || s.repo == noRepository && slices.Contains(s.repos, repo)
}

// addVictim counts a victim and keeps it while there are few.
func (s *suspect) addVictim(v Victim) {
	same := func(w Victim) bool {
		return w.Project == v.Project && w.Repository == v.Repository && w.Digest == v.Digest
	}
	if i := slices.IndexFunc(s.victims, same); i >= 0 {
		s.victims[i].Tags = union(s.victims[i].Tags, v.Tags)
		if s.victims[i].PullTime == nil {
			s.victims[i].PullTime = v.PullTime
		}
		return
	}
	s.victimCount++
	if len(s.victims) < maxVictims {
		s.victims = append(s.victims, v)
	}
}

// union returns both lists, sorted, each text once.
func union(a, b []string) []string {
	all := append(slices.Clone(a), b...)
	slices.Sort(all)
	return slices.Compact(all)
}

func newVictim(repository, digest string, tags []string) Victim {
	project, rest := splitProject(repository)
	return Victim{Project: project, Repository: rest, Digest: digest, Tags: append([]string{}, tags...)}
}

// holding is where a manifest is, and by which tags.
type holding struct {
	repo uint32
	tags []string
}

// lineage is which manifests refer to which digests, upwards from the seeds,
// and where those manifests are.
type lineage struct {
	users    map[registry.Digest][]registry.Digest
	beyond   map[registry.Digest]int64 // users that are counted only
	holdings map[registry.Digest][]holding
}

// maxUsers is how many manifests are kept that refer to one digest: a layer
// may be part of every image there is.
const maxUsers = 100_000

// maxDepth bounds indexes of indexes.
const maxDepth = 8

// victimsFromStorage finds the victims by what manifests that were read refer
// to. What the database knows better, it will say itself.
func (s *scan) victimsFromStorage(list []*suspect) error {
	l := lineage{
		users:    make(map[registry.Digest][]registry.Digest),
		beyond:   make(map[registry.Digest]int64),
		holdings: make(map[registry.Digest][]holding),
	}
	wanted := make(map[registry.Digest]bool)
	for _, x := range list {
		switch x.seed() {
		case seedTag:
			x.addVictim(newVictim(s.repos.name(x.repo), x.digest.String(), []string{x.tag}))
		case seedManifest:
			l.holdings[x.digest] = nil
			wanted[x.digest] = true
		case seedBlob:
			wanted[x.digest] = true
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	if err := s.findUsers(&l, wanted); err != nil {
		return err
	}
	if err := s.findHoldings(&l); err != nil {
		return err
	}
	for _, x := range list {
		if kind := x.seed(); kind == seedManifest || kind == seedBlob {
			s.addLineage(x, &l, kind)
		}
	}
	return nil
}

// findUsers goes upwards until nothing new refers to what is wanted.
func (s *scan) findUsers(l *lineage, wanted map[registry.Digest]bool) error {
	for range maxDepth {
		found := make(map[registry.Digest]bool)
		err := s.eachManifest(func(d registry.Digest, refs []registry.Reference) error {
			for _, ref := range refs {
				if !wanted[ref.Digest] || ref.Role == registry.RoleSubject || ref.Foreign {
					continue
				}
				if len(l.users[ref.Digest]) == maxUsers {
					l.beyond[ref.Digest]++
					continue
				}
				l.users[ref.Digest] = append(l.users[ref.Digest], d)
				if _, known := l.holdings[d]; !known {
					l.holdings[d] = nil
					found[d] = true
				}
			}
			return nil
		})
		if err != nil || len(found) == 0 {
			return err
		}
		wanted = found
	}
	return nil
}

// findHoldings looks up the repositories and tags of the manifests.
func (s *scan) findHoldings(l *lineage) error {
	byPart := make(map[string]map[byte]bool)
	for d := range l.holdings {
		raw := rawDigest(nil, d)
		if byPart[d.Algorithm] == nil {
			byPart[d.Algorithm] = make(map[byte]bool)
		}
		byPart[d.Algorithm][raw[0]] = true
	}
	for algorithm, parts := range byPart {
		for first := range parts {
			err := s.facts.each(algorithm, first, func(r record) { l.note(algorithm, r) })
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func (l *lineage) note(algorithm string, r record) {
	if k := r.kind(); k != kindRevision && k != kindTag && k != kindArtifact {
		return
	}
	d := digestOf(algorithm, r.digest())
	list, wanted := l.holdings[d]
	if !wanted {
		return
	}
	i := slices.IndexFunc(list, func(h holding) bool { return h.repo == r.repo() })
	if i < 0 {
		i, list = len(list), append(list, holding{repo: r.repo()})
	}
	if r.kind() == kindTag {
		list[i].tags = append(list[i].tags, strings.Clone(string(r.payload()[1:])))
	}
	l.holdings[d] = list
}

// addLineage adds everything above a suspect's digest, in its repositories.
func (s *scan) addLineage(x *suspect, l *lineage, kind seed) {
	level := l.users[x.digest]
	if kind == seedManifest {
		level = append([]registry.Digest{x.digest}, level...)
	}
	seen := make(map[registry.Digest]bool)
	for len(level) > 0 {
		var above []registry.Digest
		for _, d := range level {
			if seen[d] {
				continue
			}
			seen[d] = true
			for _, h := range l.holdings[d] {
				if x.hits(h.repo) {
					slices.Sort(h.tags)
					x.addVictim(newVictim(s.repos.name(h.repo), d.String(), h.tags))
				}
			}
			above = append(above, l.users[d]...)
		}
		level = above
	}
	x.victimCount += l.beyond[x.digest]
}
