package orphans_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/harbordb/harbordb/internal/registrytest"
	"github.com/harbordb/harbordb/orphans"
	"github.com/harbordb/harbordb/registry"
)

// mutation is one kind of damage, in a repository of its own, and what scans
// have to find of it.
type mutation struct {
	name string
	// push makes the healthy state; the default is one image with tag v1.
	push func(t testing.TB, w *world, repository string) subject
	// damage does the damage in storage, sql in the database: {digest},
	// {layer} and {repository} stand for those of the image.
	damage func(t testing.TB, w *world, s subject)
	sql    string
	// plain are the findings without a database, joined with one. R stands
	// for the repository.
	plain, joined []string
	// notes and joinedNotes are codes of which there must be one more.
	notes, joinedNotes []orphans.Code
	depth              orphans.Depth
}

// subject is what a mutation damages.
type subject struct {
	repository string
	image      registrytest.Pushed
	index      registrytest.Pushed
	blob       registrytest.Descriptor
}

func one(t testing.TB, w *world, repository string) subject {
	return subject{repository: repository, image: w.push(t, repository, registrytest.Image{Tags: []string{"v1"}})}
}

func multi(t testing.TB, w *world, repository string) subject {
	amd := w.push(t, repository, registrytest.Image{Layers: []string{"amd of " + repository}})
	arm := w.push(t, repository, registrytest.Image{Layers: []string{"arm of " + repository}})
	return subject{repository: repository, image: arm, index: w.index(t, repository, []string{"multi"}, amd, arm)}
}

func blobOnly(t testing.TB, w *world, repository string) subject {
	one(t, w, repository)
	return subject{repository: repository, blob: w.reg.PushBlob(t, repository, "a blob of "+repository)}
}

// Names of the parts of a subject.
func (s subject) manifestName(t testing.TB) string {
	return registry.BlobPath(digest(t, s.image.Digest))
}
func (s subject) revision(t testing.TB) string {
	return registry.RevisionPath(s.repository, digest(t, s.image.Digest))
}
func (s subject) current() string              { return registry.TagCurrentPath(s.repository, "v1") }
func (s subject) own() registrytest.Descriptor { return s.image.Layers[len(s.image.Layers)-1] }
func (s subject) layer(t testing.TB) string    { return registry.BlobPath(digest(t, s.own().Digest)) }
func (s subject) layerLink(t testing.TB) string {
	return registry.LayerPath(s.repository, digest(t, s.own().Digest))
}

func removes(names ...func(subject, testing.TB) string) func(testing.TB, *world, subject) {
	return func(t testing.TB, w *world, s subject) {
		for _, name := range names {
			w.remove(t, name(s, t))
		}
	}
}

// vanishes removes objects and, on a disk, the folders that held them.
func vanishes(names ...func(subject, testing.TB) string) func(testing.TB, *world, subject) {
	return func(t testing.TB, w *world, s subject) {
		for _, name := range names {
			w.remove(t, name(s, t))
			if w.reg.Root == "" {
				continue
			}
			if err := os.Remove(filepath.Dir(filepath.Join(w.reg.Root, w.reg.Key(name(s, t))))); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func writes(name func(subject, testing.TB) string, content string) func(testing.TB, *world, subject) {
	return func(t testing.TB, w *world, s subject) { w.put(t, name(s, t), []byte(content)) }
}

func current(s subject, _ testing.TB) string   { return s.current() }
func revision(s subject, t testing.TB) string  { return s.revision(t) }
func manifest(s subject, t testing.TB) string  { return s.manifestName(t) }
func layer(s subject, t testing.TB) string     { return s.layer(t) }
func layerLink(s subject, t testing.TB) string { return s.layerLink(t) }
func config(s subject, t testing.TB) string {
	return registry.BlobPath(digest(t, s.image.Config.Digest))
}

var other = "sha256:" + strings.Repeat("ab", 32)

// mutations are one for each code at least.
var mutations = []mutation{
	{name: "nothing"},
	{name: "t1-current-missing", damage: removes(current), plain: []string{"T1 R:v1"}, joinedNotes: []orphans.Code{orphans.TagCurrentMissing}},
	{name: "t2-empty", damage: writes(current, ""), plain: []string{"T2 R:v1"}, joined: []string{"T2 R:v1"}},
	{name: "t2-newline", damage: func(t testing.TB, w *world, s subject) {
		w.put(t, s.current(), []byte(s.image.Digest+"\n"))
	}, plain: []string{"T2 R:v1"}, joined: []string{"T2 R:v1"}},
	{name: "t2-nuls", damage: writes(current, strings.Repeat("\x00", 71)), plain: []string{"T2 R:v1"}, joined: []string{"T2 R:v1"}},
	{name: "t2-short", damage: writes(current, other[:70]), plain: []string{"T2 R:v1"}, joined: []string{"T2 R:v1"}},
	{name: "t3-dangling", damage: removes(revision), plain: []string{"T3 R:v1"}, joined: []string{"R1 R:v1"}},
	{
		name: "t3-ghost", damage: removes(revision), sql: deleteArtifact,
		plain: []string{"T3 R:v1"}, joined: []string{"T3 R:v1"},
	},
	{
		name: "t4-index-dangling",
		push: func(t testing.TB, w *world, repository string) subject {
			old := w.reg.Push(t, repository, registrytest.Image{Tags: []string{"v1"}, Layers: []string{"old"}})
			s := one(t, w, repository)
			w.reg.Remove(t, w.reg.Key(registry.RevisionPath(repository, digest(t, old.Digest))))
			return s
		},
		notes: []orphans.Code{orphans.TagIndexDangling}, joinedNotes: []orphans.Code{orphans.TagIndexDangling},
	},
	{name: "r2-empty", damage: writes(revision, ""), plain: []string{"R2 R:v1"}, joined: []string{"R2 R:v1"}},
	{name: "r2-malformed", damage: writes(revision, "sha256:what"), plain: []string{"R2 R:v1"}, joined: []string{"R2 R:v1"}},
	{name: "r3-mismatch", damage: writes(revision, other), plain: []string{"R3"}, joined: []string{"R3"}},
	{name: "r3-layer-mismatch", damage: writes(layerLink, other), plain: []string{"R3"}, joined: []string{"R3"}},
	{
		name: "r4-ghost", push: func(t testing.TB, w *world, repository string) subject {
			s := one(t, w, repository)
			w.reg.Push(t, repository, registrytest.Image{Tags: []string{"refused"}, Layers: []string{"refused by core"}})
			return s
		},
		joined: []string{"R4"},
	},
	{name: "m1-missing", damage: removes(manifest), plain: []string{"M1 R:v1"}, joined: []string{"M1 R:v1"}},
	{name: "m2-empty", damage: writes(manifest, ""), plain: []string{"M2 R:v1"}, joined: []string{"M2 R:v1"}},
	{name: "m3-other-size", damage: writes(manifest, `{"schemaVersion":2}`), plain: []string{"M3 R:v1"}, joined: []string{"M3 R:v1"}},
	{name: "m3-same-size", damage: flip(manifest), plain: []string{"M3 R:v1"}, joined: []string{"M3 R:v1"}, depth: orphans.Manifests},
	{name: "b1-config", damage: removes(config), plain: []string{"B1 R:v1"}, joined: []string{"B1 R:v1"}},
	{name: "b2-layer", damage: removes(layer), plain: []string{"B2 R:v1"}, joined: []string{"B2 R:v1"}},
	{
		name: "b2-shared", push: func(t testing.TB, w *world, repository string) subject {
			w.push(t, repository, registrytest.Image{Tags: []string{"v2"}, Layers: []string{"shared", "own"}})
			return subject{repository: repository, image: w.push(t, repository, registrytest.Image{Tags: []string{"v1"}, Layers: []string{"shared"}})}
		},
		damage: func(t testing.TB, w *world, s subject) {
			w.remove(t, registry.BlobPath(digest(t, s.image.Layers[0].Digest)))
		},
		plain: []string{"B2 R:v1 R:v2"}, joined: []string{"B2 R:v1 R:v2"},
	},
	{name: "b3-short", damage: writes(layer, "short"), plain: []string{"B3 R:v1"}, joined: []string{"B3 R:v1"}},
	{name: "b3-empty", damage: writes(layer, ""), plain: []string{"B3 R:v1"}, joined: []string{"B3 R:v1"}},
	{name: "b4-corrupt", damage: flip(layer), plain: []string{"B4 R:v1"}, joined: []string{"B4 R:v1"}, depth: orphans.Data},
	{name: "b5-link-missing", damage: removes(layerLink), plain: []string{"B5 R:v1"}, joined: []string{"B5 R:v1"}},
	{
		name: "b6-dangling", push: blobOnly, damage: func(t testing.TB, w *world, s subject) {
			w.remove(t, registry.BlobPath(digest(t, s.blob.Digest)))
		},
		notes: []orphans.Code{orphans.LayerLinkDangling}, joinedNotes: []orphans.Code{orphans.LayerLinkDangling},
	},
	{name: "b7-empty", damage: writes(layerLink, ""), plain: []string{"B7 R:v1"}, joined: []string{"B7 R:v1"}},
	{name: "b7-newline", damage: func(t testing.TB, w *world, s subject) {
		w.put(t, s.layerLink(t), []byte(s.own().Digest+"\n"))
	}, plain: []string{"B7 R:v1"}, joined: []string{"B7 R:v1"}},
	{name: "b7-nuls", damage: writes(layerLink, strings.Repeat("\x00", 71)), plain: []string{"B7 R:v1"}, joined: []string{"B7 R:v1"}},
	{name: "i1-child-link", push: multi, damage: removes(revision), plain: []string{"I1 R:multi"}, joined: []string{"R1 R: R:multi"}},
	{
		name: "i1-all-children", push: func(t testing.TB, w *world, repository string) subject {
			arm := w.push(t, repository, registrytest.Image{Layers: []string{"arm of " + repository}})
			return subject{repository: repository, image: arm, index: w.index(t, repository, []string{"multi"}, arm)}
		},
		damage: vanishes(revision, manifest), plain: []string{"I1 R:multi"}, joined: []string{"X1 R: R:multi"},
	},
	{
		name: "i1-sparse", push: multi, damage: vanishes(revision, manifest), joined: []string{"X1 R: R:multi"},
		notes: []orphans.Code{orphans.ChildMissing},
	},
	{
		name: "i2-subject", push: func(t testing.TB, w *world, repository string) subject {
			gone := registrytest.Descriptor{MediaType: registrytest.OCIManifest, Digest: other, Size: 7}
			w.push(t, repository, registrytest.Image{ArtifactType: "application/x-sig", Layers: []string{"sig"}, Subject: &gone})
			return one(t, w, repository)
		},
		notes: []orphans.Code{orphans.SubjectMissing},
	},
	{name: "x1-nothing", damage: removes(revision, manifest), plain: []string{"T3 R:v1"}, joined: []string{"X1 R:v1"}},
	{name: "x2-size", sql: `update artifact set size = 0 where digest = '{digest}'`, joined: []string{"X2 R:v1"}},
	{name: "x2-unknown", sql: `update artifact set media_type = 'UNKNOWN' where digest = '{digest}'`, joined: []string{"X2 R:v1"}},
	{name: "x3-listless", sql: `delete from artifact_blob where digest_af = '{digest}'`, joined: []string{"X3 R:v1"}},
	{name: "x3-rowless", sql: `delete from blob where digest = '{layer}'`, joined: []string{"X3 R:v1"}},
	{
		name: "x3-differs", sql: `delete from artifact_blob where digest_af = '{digest}' and digest_blob = '{layer}'`,
		joined: []string{"X3 R:v1"}, depth: orphans.Manifests,
	},
	{name: "x4-unassociated", sql: `delete from project_blob where blob_id = (select id from blob where digest = '{layer}')`, joined: []string{"X4 R:v1"}},
	{name: "x5-marked", sql: `update blob set status = 'deleting' where digest = '{layer}'`, joined: []string{"X5 R:v1"}},
	{
		name: "x6-row-only", sql: `insert into blob (digest, content_type, size) values ('` + other + `', 'application/octet-stream', 5)`,
		joinedNotes: []orphans.Code{orphans.BlobRowNoObject},
	},
	{
		name: "x7-object-only", push: blobOnly,
		notes: []orphans.Code{orphans.GarbageBlob}, joinedNotes: []orphans.Code{orphans.ObjectNoBlobRow},
	},
	{
		name: "x8-trash", sql: deleteArtifact + `insert into artifact_trash (media_type, manifest_media_type, repository_name, digest)
			values ('a', 'b', '{repository}', '{digest}')`,
		joinedNotes: []orphans.Code{orphans.TrashResidue},
	},
	{
		name: "x9-storage-only", push: func(t testing.TB, w *world, repository string) subject {
			w.reg.Push(t, repository, registrytest.Image{Tags: []string{"a"}, Layers: []string{"a"}})
			w.reg.Push(t, repository, registrytest.Image{Tags: []string{"b"}, Layers: []string{"b"}})
			return subject{repository: repository}
		},
		joined: []string{"X9"},
	},
	{
		name: "x10-child-row", push: multi,
		sql: `alter table artifact_reference drop constraint artifact_reference_child_id_fkey;
			insert into artifact_reference (parent_id, child_id, child_digest) select id, 999999, '` + other + `' from artifact where digest = '{index}'`,
		joined: []string{"X10 R:multi"},
	},
	{
		name: "x10-accessory",
		sql: `alter table artifact_accessory drop constraint artifact_accessory_artifact_id_fkey;
			insert into artifact_accessory (artifact_id, subject_artifact_id, type, size, digest)
			select 999999, id, 'signature.cosign', 7, '` + other + `' from artifact where digest = '{digest}'`,
		joined: []string{"X10 R:v1"},
	},
	{
		name: "g2-untagged", push: func(t testing.TB, w *world, repository string) subject {
			w.push(t, repository, registrytest.Image{Layers: []string{"untagged"}})
			return one(t, w, repository)
		},
		notes: []orphans.Code{orphans.GarbageManifest}, depth: orphans.Manifests,
	},
	{
		name: "g3-upload", push: func(t testing.TB, w *world, repository string) subject {
			w.reg.LeaveUpload(t, repository, "some bytes")
			return one(t, w, repository)
		},
		notes: []orphans.Code{orphans.StaleUpload}, joinedNotes: []orphans.Code{orphans.StaleUpload},
	},
	{
		name: "g6-temp", damage: func(t testing.TB, w *world, s subject) {
			w.put(t, s.manifestName(t)+".7c0d.tmp", []byte("half"))
		},
	},
	{name: "u1-unknown", damage: func(t testing.TB, w *world, s subject) {
		w.put(t, "repositories/"+s.repository+"/notes.txt", []byte("hello"))
	}, notes: []orphans.Code{orphans.UnknownObject}, joinedNotes: []orphans.Code{orphans.UnknownObject}},
}

const deleteArtifact = `delete from tag where artifact_id in (select id from artifact where digest = '{digest}');
	delete from artifact where digest = '{digest}';`

// flip changes content and keeps its size.
func flip(name func(subject, testing.TB) string) func(testing.TB, *world, subject) {
	return func(t testing.TB, w *world, s subject) {
		content, err := w.read(t, w.reg.Key(name(s, t)))
		if err != nil {
			t.Fatal(err)
		}
		content[len(content)/2] ^= 1
		w.put(t, name(s, t), content)
	}
}

func (m mutation) repository() string { return "cases/" + m.name }

func (m mutation) wants(list []string) []string {
	var out []string
	for _, want := range list {
		out = append(out, strings.ReplaceAll(want, "R:", m.repository()+":"))
	}
	return out
}

// begin pushes what the mutation damages.
func (m mutation) begin(t testing.TB, w *world) subject {
	t.Helper()
	if m.push == nil {
		return one(t, w, m.repository())
	}
	return m.push(t, w, m.repository())
}

func (m mutation) script(s subject) string {
	layer := ""
	if len(s.image.Layers) > 0 {
		layer = s.own().Digest
	}
	return strings.NewReplacer("{digest}", s.image.Digest, "{layer}", layer, "{repository}", s.repository, "{index}", s.index.Digest).Replace(m.sql)
}

// newestSchema is Harbor 2.15.
const newestSchema = 180

func TestEveryDamageIsFoundAloneOnAFolder(t *testing.T) {
	w := newWorld(t, registrytest.Filesystem, newHarbor(t, newestSchema))
	subjects := make(map[string]subject)
	for _, m := range mutations {
		subjects[m.name] = m.begin(t, w)
	}
	before := w.scan(t, nil)
	joinedBefore := w.scan(t, w.harbor.database())
	standing := standingFindings()
	expect(t, before)
	expect(t, joinedBefore, standing...)
	for _, m := range mutations {
		t.Run(m.name, func(t *testing.T) {
			defer w.restore(t)
			s := subjects[m.name]
			if m.damage != nil {
				m.damage(t, w, s)
			}
			depth := func(o *orphans.Options) { o.Depth = m.depth }
			t.Run("without a database", func(t *testing.T) {
				r := w.scan(t, nil, depth)
				expect(t, r, m.wants(m.plain)...)
				m.expectNotes(t, before, r, m.notes)
			})
			t.Run("with the database", func(t *testing.T) {
				if m.sql != "" {
					defer w.harbor.damage(t, m.script(s))()
				}
				r := w.scan(t, w.harbor.database(), depth)
				expect(t, r, union(standing, m.wants(m.joined))...)
				m.expectNotes(t, joinedBefore, r, m.joinedNotes)
			})
		})
	}
}

// standingFindings are those of mutations whose damage is in what is pushed.
func standingFindings() (all []string) {
	for _, m := range mutations {
		if m.damage == nil && m.sql == "" {
			all = append(all, m.wants(m.joined)...)
		}
	}
	return all
}

func union(a, b []string) []string {
	all := append(slices.Clone(a), b...)
	slices.Sort(all)
	return slices.Compact(all)
}

func (m mutation) expectNotes(t *testing.T, before, after *orphans.Report, codes []orphans.Code) {
	t.Helper()
	if m.damage == nil && m.sql == "" {
		for _, code := range codes {
			if noted(after, code) == 0 {
				t.Errorf("no note of %s", code)
			}
		}
		return
	}
	for _, code := range codes {
		if got, want := noted(after, code), noted(before, code)+1; got != want {
			t.Errorf("%d notes of %s, want %d", got, code, want)
		}
	}
}

// onSwift are the damages that are done there: one of each code that storage
// has a part in. A push to Swift takes a second.
var onSwift = []string{
	"nothing", "t1-current-missing", "t2-newline", "t3-dangling", "r2-empty", "r3-mismatch", "m1-missing", "m2-empty",
	"m3-same-size", "b1-config", "b2-layer", "b3-short", "b3-empty", "b4-corrupt", "b5-link-missing", "b7-empty",
	"i1-child-link", "x1-nothing",
}

// TestAllDamagesTogether is the same in one scan for all, in every storage:
// no damage may hide another or be taken for it.
func TestAllDamagesTogether(t *testing.T) {
	for name, start := range map[string]func(testing.TB) *registrytest.Registry{
		"folder": registrytest.Filesystem, "S3": registrytest.S3, "Swift": registrytest.Swift,
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, start, newHarbor(t, newestSchema))
			var plain, joined []string
			var script strings.Builder
			for _, m := range mutations {
				if name == "Swift" && !slices.Contains(onSwift, m.name) {
					continue
				}
				s := m.begin(t, w)
				if m.damage != nil {
					m.damage(t, w, s)
				}
				fmt.Fprintln(&script, m.script(s)+";")
				plain, joined = append(plain, m.wants(m.plain)...), append(joined, m.wants(m.joined)...)
			}
			deep := func(o *orphans.Options) { o.Depth = orphans.Data }
			expect(t, w.scan(t, nil, deep), plain...)
			defer w.harbor.damage(t, script.String())()
			expect(t, w.scan(t, w.harbor.database(), deep), joined...)
		})
	}
}
