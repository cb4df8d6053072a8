package orphans

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/harbordb/harbordb/registry"
)

// newReport is the report of a first look, without findings.
func (s *scan) newReport(db *Database) *Report {
	r := &Report{
		Storage: s.tree.String(), Root: s.tree.Root().Prefix, Time: s.opts.Now.UTC(),
		Depth: s.opts.Depth, Scope: s.scope.String(),
		Summary: []Summary{}, Findings: []Finding{}, Notes: []Note{}, Waste: []Waste{},
	}
	if db != nil {
		r.Database = fmt.Sprintf("%s (%s)", db.Name, s.db.era)
	}
	s.finishReport(r)
	return r
}

// finishReport fills in what may still grow after the first look.
func (s *scan) finishReport(r *Report) {
	r.Gaps = s.gaps.report(s.tree)
	r.Complete = len(r.Gaps) == 0
	r.Stats = s.stats()
	if err := s.cache.failed.Load(); err != nil {
		r.CacheError = (*err).Error()
	}
}

func (s *scan) stats() Stats {
	c := &s.count
	stats := Stats{
		Keys: c.keys.Load(), Tags: c.tags.Load(), Revisions: c.revisions.Load(), LayerLinks: c.layerLinks.Load(),
		Manifests: c.manifests.Load(), Blobs: c.blobs.Load(), BlobBytes: c.blobBytes.Load(),
		Artifacts: c.artifacts.Load(), ManifestReads: c.manifestReads.Load(), CacheHits: c.cacheHits.Load(),
		LinksProved: c.linksProved.Load(), LinksAssumed: c.linksAssumed.Load(), LinksRead: c.linksRead.Load(),
		SizesUnknown: c.sizesUnknown.Load(), HashedBlobs: c.hashedBlobs.Load(), HashedBytes: c.hashedBytes.Load(),
		Suspects: c.suspects.Load(), Cleared: c.cleared.Load(),
	}
	for _, r := range s.repos.all() {
		if r.inStorage.Load() {
			stats.Repositories++
		}
	}
	return stats
}

// fill turns what is left after the second look into findings and notes.
func (s *scan) fill(r *Report) {
	broken := s.brokenArtifacts()
	byCause := make(map[string]int)
	for i := range s.suspects.list {
		x := &s.suspects.list[i]
		if x.code == ArtifactSize && broken[x.key] {
			s.suspects.count[x.code]--
			continue
		}
		f := s.finding(x)
		if f.Severity == Info {
			s.notes.add(f.Code, f.Detail+" "+strings.Join(f.Keys, " "))
			s.suspects.count[f.Code]--
			continue
		}
		key := causeKey(x)
		if known, ok := byCause[key]; ok {
			r.Findings[known].join(f)
			s.suspects.count[f.Code]--
			continue
		}
		byCause[key] = len(r.Findings)
		r.Findings = append(r.Findings, f)
	}
	slices.SortFunc(r.Findings, compareFindings)
	r.Notes, r.Waste = s.notes.report(), s.waste.report()
	s.finishReport(r)
	r.Summary = s.summary(r)
	for _, sum := range r.Summary {
		r.Truncated = r.Truncated || sum.Count > maxSuspects
	}
}

// causeKey is the same for suspects of one root cause: tags of a repository
// that point at the same manifest are one finding.
func causeKey(x *suspect) string {
	tag := x.tag
	if x.code == TagDangling {
		tag = ""
	}
	return fmt.Sprint(x.code, " ", x.repo, " ", tag, " ", x.digest, " ", x.key)
}

// join adds the victims of a suspect with the same cause.
func (f *Finding) join(more Finding) {
	for _, v := range more.Victims {
		same := func(w Victim) bool {
			return w.Project == v.Project && w.Repository == v.Repository && w.Digest == v.Digest
		}
		if i := slices.IndexFunc(f.Victims, same); i >= 0 {
			f.Victims[i].Tags = union(f.Victims[i].Tags, v.Tags)
		} else if len(f.Victims) < maxVictims {
			f.Victims = append(f.Victims, v)
		}
	}
	f.VictimCount += more.VictimCount
	f.Keys = union(f.Keys, more.Keys)
	f.Tag = ""
}

// compareVictims puts what people know by a tag first.
func compareVictims(a, b Victim) int {
	untagged := func(v Victim) int { return 1 - min(len(v.Tags), 1) }
	return cmp.Or(
		cmp.Compare(untagged(a), untagged(b)),
		cmp.Compare(a.Project, b.Project), cmp.Compare(a.Repository, b.Repository),
		slices.Compare(a.Tags, b.Tags), cmp.Compare(a.Digest, b.Digest),
	)
}

func compareFindings(a, b Finding) int {
	return cmp.Or(
		cmp.Compare(a.Severity.rank(), b.Severity.rank()),
		cmp.Compare(b.VictimCount, a.VictimCount),
		cmp.Compare(a.Code, b.Code),
		cmp.Compare(a.Project, b.Project), cmp.Compare(a.Repository, b.Repository),
		cmp.Compare(a.Tag, b.Tag), cmp.Compare(a.Digest, b.Digest),
		slices.Compare(a.Keys, b.Keys),
	)
}

// brokenArtifacts are the rows whose storage has a finding: their size of 0 is
// no finding of its own.
func (s *scan) brokenArtifacts() map[string]bool {
	broken := make(map[string]bool)
	hurt := make(map[string]bool)
	for i := range s.suspects.list {
		x := &s.suspects.list[i]
		if kind := x.seed(); kind == seedManifest || kind == seedBlob {
			for _, v := range x.victims {
				hurt[v.name()+"@"+v.Digest] = true
			}
		}
	}
	for i := range s.suspects.list {
		x := &s.suspects.list[i]
		if x.code == ArtifactSize && len(x.artifacts) == 1 && hurt[x.artifacts[0].repository+"@"+x.artifacts[0].digest] {
			broken[x.key] = true
		}
	}
	return broken
}

// finding renders one suspect.
func (s *scan) finding(x *suspect) Finding {
	f := Finding{
		Code: x.code, Name: x.code.Name(), Severity: s.severity(x), Tag: x.tag,
		Detail: s.detail(x), Victims: x.victims, VictimCount: max(x.victimCount, int64(len(x.victims))),
	}
	if x.digest != (registry.Digest{}) {
		f.Digest = x.digest.String()
	}
	if f.Victims == nil {
		f.Victims = []Victim{}
	}
	slices.SortFunc(f.Victims, compareVictims)
	repo := x.repo
	if repo == noRepository && len(x.repos) == 1 {
		repo = x.repos[0]
	}
	if repo != noRepository {
		f.Project, f.Repository = splitProject(s.repos.name(repo))
	} else {
		f.Project, f.Repository = common(x.victims)
	}
	f.Keys = s.keys(x)
	f.WayOut = s.wayOut(x, f)
	return f
}

// common is the project and repository that all victims share.
func common(victims []Victim) (project, repository string) {
	for i, v := range victims {
		if i == 0 {
			project, repository = v.Project, v.Repository
			continue
		}
		if v.Project != project {
			return "", ""
		}
		if v.Repository != repository {
			repository = ""
		}
	}
	return project, repository
}

func (s *scan) severity(x *suspect) Severity {
	switch {
	case x.severity != "":
		return x.severity
	case x.proxy && (x.code == ConfigMissing || x.code == LayerMissing):
		return Warning // the next pull fetches it again
	}
	return severityOf(x.code, s.owner)
}

// detail says what was seen, and what should be there.
func (s *scan) detail(x *suspect) string {
	text := x.code.Title()
	switch x.code {
	case BlobSize, ManifestEmpty:
		text = fmt.Sprintf("%d bytes", x.got)
		if x.want >= 0 {
			text += fmt.Sprintf(", should be %d", x.want)
		}
	case ManifestCorrupt:
		if x.want >= 0 && x.want != x.got && x.got >= 0 {
			text += fmt.Sprintf(" (%d bytes, should be %d)", x.got, x.want)
		}
	}
	if x.reason != "" {
		text += ": " + x.reason
	}
	return text
}

// keys is the evidence: names in the store, whole.
func (s *scan) keys(x *suspect) []string {
	var names []string
	add := func(name string) { names = append(names, s.tree.Key(name)) }
	switch x.code {
	case TagDangling:
		repo := s.repos.name(x.repo)
		add(registry.TagCurrentPath(repo, x.tag))
		add(registry.RevisionPath(repo, x.digest))
	case ManifestMissing:
		add(x.key)
		for _, id := range x.repos[:min(len(x.repos), maxExamples)] {
			add(registry.RevisionPath(s.repos.name(id), x.digest))
		}
	case ArtifactNoStorage:
		add(x.key)
		add(registry.BlobPath(x.digest))
	case ArtifactSize, ArtifactBlobMissing, AssociationMissing, BlobStatus, ReferenceRowMissing, MultipartUpload:
		return []string{}
	default:
		if x.key != "" {
			add(x.key)
		}
	}
	return names
}

// summary counts by code, worst first.
func (s *scan) summary(r *Report) []Summary {
	byCode := make(map[Code]*Summary)
	entry := func(c Code, sev Severity) *Summary {
		if byCode[c] == nil {
			byCode[c] = &Summary{Code: c, Name: c.Name(), Severity: sev, Count: s.suspects.count[c]}
		}
		return byCode[c]
	}
	for _, f := range r.Findings {
		sum := entry(f.Code, f.Severity)
		sum.Victims += f.VictimCount
		if f.Severity.rank() < sum.Severity.rank() {
			sum.Severity = f.Severity
		}
	}
	for _, n := range r.Notes {
		entry(n.Code, Info).Count += n.Count
	}
	for _, w := range r.Waste {
		entry(w.Code, Info).Count += w.Count
	}
	out := make([]Summary, 0, len(byCode))
	for _, sum := range byCode {
		out = append(out, *sum)
	}
	slices.SortFunc(out, func(a, b Summary) int {
		return cmp.Or(cmp.Compare(a.Severity.rank(), b.Severity.rank()),
			cmp.Compare(b.Victims, a.Victims), cmp.Compare(b.Count, a.Count), cmp.Compare(a.Code, b.Code))
	})
	return out
}
