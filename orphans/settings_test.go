package orphans_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/dbtest"
	"github.com/harbordb/harbordb/internal/fault"
	"github.com/harbordb/harbordb/internal/registrytest"
	"github.com/harbordb/harbordb/orphans"
	"github.com/harbordb/harbordb/registry"
	harborsql "github.com/harbordb/harbordb/testdata/sql"
)

// implausible scans a bucket and returns why the result is none.
func implausible(t testing.TB, store *fake, db *orphans.Database, change ...func(*orphans.Options)) string {
	t.Helper()
	r := scanFake(t, store, db, change...)
	if len(r.Findings) > 0 || len(r.Waste) > 0 || len(r.Notes) > 0 {
		t.Errorf("findings of what is a wrong setting: %s, waste %+v", details(r), r.Waste)
	}
	return r.Implausible
}

func TestAWrongSettingIsNoDamage(t *testing.T) {
	const tags = 80
	without := func(prefix string, share int) *fake {
		store := newFake()
		n := 0
		eachImageFile(tags, func(name string, content []byte) {
			if n++; !strings.HasPrefix(name, prefix) || n%share != 0 {
				store.put(treeRoot+name, content)
			}
		})
		return store
	}
	for name, test := range map[string]struct {
		store *fake
		says  string
	}{
		"no blobs":             {without("blobs/", 1), "80 manifests"},
		"no repositories":      {without("repositories/", 1), "blobs in"},
		"a third of all blobs": {without("blobs/", 3), "are missing"},
	} {
		t.Run(name, func(t *testing.T) {
			if why := implausible(t, test.store, nil); !strings.Contains(why, test.says) {
				t.Errorf("%q does not say %q", why, test.says)
			}
		})
	}
}

func TestTheDatabaseOfAnotherHarborIsNoDamage(t *testing.T) {
	const tags = 80
	store := newFake()
	store.writeImages(t, "", tags)
	fill := func(version, images int) *orphans.Database {
		h := &harbor{db: dbtest.Open(t, dbtest.PostgreSQL(t).CreateDatabase(t)), version: version}
		if err := harborsql.FillHarbor(t.Context(), h.db, version, images); err != nil {
			t.Fatal(err)
		}
		return h.database()
	}
	for name, test := range map[string]struct {
		db   *orphans.Database
		says string
	}{
		"another":         {fill(newestSchema, 40), "not of the same Harbor"},
		"an empty one":    {fill(newestSchema, 0), "has no artifacts"},
		"another of 1.10": {fill(15, 40), "not of the same Harbor"},
		"another of 1.6":  {fill(1, 40), "not of the same Harbor"},
	} {
		t.Run(name, func(t *testing.T) {
			if why := implausible(t, store, test.db); !strings.Contains(why, test.says) {
				t.Errorf("%q does not say %q", why, test.says)
			}
		})
	}
}

func TestARegistryWhoseImagesAreAllDeletedIsNoDamage(t *testing.T) {
	h := newHarbor(t, newestSchema)
	w := newWorld(t, registrytest.Filesystem, h)
	for _, repository := range []string{"a/a", "a/b", "a/c", "a/d"} {
		one(t, w, repository)
	}
	h.exec(t, `insert into artifact_trash (media_type, manifest_media_type, repository_name, digest)
		select media_type, manifest_media_type, repository_name, digest from artifact`)
	h.exec(t, `delete from tag`)
	h.exec(t, `delete from artifact`)
	r := w.scan(t, h.database())
	expect(t, r)
	if got := noted(r, orphans.TrashResidue); got != 4 {
		t.Errorf("%d notes of deleted artifacts, want 4", got)
	}
	// Rows and trash gone: that is the database of a new Harbor.
	h.exec(t, `delete from artifact_trash`)
	if r := w.scan(t, h.database()); !strings.Contains(r.Implausible, "has no artifacts") {
		t.Errorf("an empty database: %q, %s", r.Implausible, details(r))
	}
}

func TestADatabaseWithoutHarborIsRefused(t *testing.T) {
	store := newFake()
	store.writeImages(t, "", 3)
	h := &harbor{db: dbtest.Open(t, dbtest.PostgreSQL(t).CreateDatabase(t))}
	tree := registry.At(store, registry.Root{Prefix: treeRoot})
	_, err := orphans.Scan(t.Context(), tree, h.database(), options(t))
	if err == nil || fault.HintOf(err) == "" || !strings.Contains(err.Error(), "no database of Harbor") {
		t.Errorf("error %v", err)
	}
}

func TestAnInfinitePullTimeIsNone(t *testing.T) {
	h := newHarbor(t, newestSchema)
	w := newWorld(t, registrytest.Filesystem, h)
	s := one(t, w, "library/app")
	w.remove(t, s.layer(t))
	h.exec(t, `update artifact set pull_time = 'infinity'`)
	r := w.scan(t, h.database())
	expect(t, r, "B2 library/app:v1")
	if at := r.Findings[0].Victims[0].PullTime; at != nil {
		t.Errorf("pulled at %s", at)
	}
}

func TestAScopeKeepsToItsRepositories(t *testing.T) {
	h := newHarbor(t, newestSchema)
	w := newWorld(t, registrytest.Filesystem, h)
	for _, repository := range []string{"library/app", "library/app/cache", "team/app", "team/other"} {
		w.reg.PushBlob(t, repository, "garbage of "+repository)
		s := one(t, w, repository)
		w.remove(t, s.layer(t))
	}
	for name, test := range map[string]struct {
		project, repository string
		want                []string
	}{
		"everything":           {"", "", []string{"B2 library/app/cache:v1", "B2 library/app:v1", "B2 team/app:v1", "B2 team/other:v1"}},
		"a project":            {"team", "", []string{"B2 team/app:v1", "B2 team/other:v1"}},
		"a repository":         {"", "library/app", []string{"B2 library/app:v1"}},
		"a repository by part": {"library", "app/cache", []string{"B2 library/app/cache:v1"}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, db := range []*orphans.Database{nil, h.database()} {
				for _, depth := range []orphans.Depth{orphans.Metadata, orphans.Data} {
					r := w.scan(t, db, func(o *orphans.Options) { o.Project, o.Repository, o.Depth = test.project, test.repository, depth })
					expect(t, r, test.want...)
					if waste := noted(r, orphans.GarbageBlob) + noted(r, orphans.ObjectNoBlobRow); name != "everything" && waste > 0 {
						t.Errorf("a part of the references makes garbage: %+v", r.Waste)
					}
				}
			}
		})
	}
	r := w.scan(t, h.database(), func(o *orphans.Options) { o.Project = "nowhere" })
	if !strings.Contains(r.Implausible, "nowhere") {
		t.Errorf("a project that is not there: %q", r.Implausible)
	}
	tree, err := registry.Open(t.Context(), w.reader)
	if err != nil {
		t.Fatal(err)
	}
	o := options(t)
	o.Project = "a/b"
	if _, err := orphans.Scan(t.Context(), tree, nil, o); fault.KindOf(err) != fault.Usage {
		t.Errorf("a project with a slash: %v", err)
	}
}

// TestEveryReleaseIsJoinedAsItsCatalogAllows uses schemas from 1.6 to the
// newest, and the recorded version says nothing: the tables do.
func TestEveryReleaseIsJoinedAsItsCatalogAllows(t *testing.T) {
	w := newWorld(t, registrytest.Filesystem, nil)
	images := map[string]registrytest.Pushed{}
	for _, name := range []string{"healthy", "dangling", "no-manifest", "no-layer"} {
		images[name] = w.push(t, "library/"+name, registrytest.Image{Tags: []string{"v1"}})
	}
	name := func(image string) subject { return subject{repository: "library/" + image, image: images[image]} }
	w.remove(t, name("dangling").revision(t))
	w.remove(t, name("no-manifest").manifestName(t))
	w.remove(t, name("no-layer").layer(t))
	damage := []string{"M1 library/no-manifest:v1", "B2 library/no-layer:v1"}
	for _, version := range []int{1, 5, 10, 15, 30, 31, 40, 41, 80, 110, 140, 180, 190} {
		t.Run(fmt.Sprintf("schema %d", version), func(t *testing.T) {
			h := newHarbor(t, version)
			for _, p := range images {
				h.push(t, p, []string{"v1"})
			}
			want := append([]string{"T3 library/dangling:v1"}, damage...)
			if version >= 30 {
				want[0] = "R1 library/dangling:v1"
			}
			r := w.scan(t, h.database())
			expect(t, r, want...)
			for _, f := range r.Findings {
				if got := f.Victims[0].PullTime; (got != nil) != (version >= 30) {
					t.Errorf("%s: pull time %v", f.Code, got)
				}
			}
			if version < 30 {
				h.exec(t, `insert into repository (name, project_id) values ('library/never', 1)`)
				want = append(want, "X9")
			}
			if version >= 10 && version < 30 {
				h.exec(t, `update artifact set digest = $1 where repo = 'library/healthy'`, other)
				h.exec(t, `insert into artifact (project_id, repo, tag, digest, kind) values (1, 'library/healthy', 'deleted', $1, 'x')`, images["healthy"].Digest)
				want = append(want, "T5 library/healthy:v1", "T5 library/healthy:deleted")
			}
			expect(t, w.scan(t, h.database()), want...)
		})
	}
}

// TestStrangeRowsStopNoScan uses rows with every value that a column takes:
// nulls, infinite times, digests that are none.
func TestStrangeRowsStopNoScan(t *testing.T) {
	store := newFake()
	store.writeImages(t, "", 3)
	for _, version := range []int{1, 15, 30, 80, newestSchema} {
		t.Run(fmt.Sprintf("schema %d", version), func(t *testing.T) {
			h := newHarbor(t, version)
			if err := harborsql.Fill(t.Context(), h.db, version); err != nil {
				t.Fatal(err)
			}
			for _, depth := range []orphans.Depth{orphans.Metadata, orphans.Data} {
				scanFake(t, store, h.database(), func(o *orphans.Options) { o.Depth, o.Anyway = depth, true })
			}
		})
	}
}

func TestDatabasesOfTheMySQLEraAreJoinedByRepository(t *testing.T) {
	w := newWorld(t, registrytest.Filesystem, nil)
	one(t, w, "library/healthy")
	s := one(t, w, "library/dangling")
	w.remove(t, s.revision(t))
	server := dbtest.MariaDB(t)
	for _, release := range harborsql.MySQLVersions() {
		t.Run(release, func(t *testing.T) {
			db := dbtest.Open(t, server.CreateDatabase(t))
			if err := harborsql.BuildMySQL(t.Context(), db, release); err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"library/healthy", "library/dangling", "library/never"} {
				if _, err := db.ExecContext(t.Context(), `insert into repository (name, project_id`+owner(release)+`) values (?, 1`+strings.Repeat(", 1", strings.Count(owner(release), ","))+`)`, name); err != nil {
					t.Fatal(err)
				}
			}
			expect(t, w.scan(t, &orphans.Database{
				Name: "registry", Engine: database.MySQL,
				Begin: func(ctx context.Context) (database.Querier, func() error, error) {
					tx, err := db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
					if err != nil {
						return nil, nil, err
					}
					return tx, tx.Rollback, nil
				},
			}), "T3 library/dangling:v1", "X9")
		})
	}
}

// owner is a column that repositories had up to 1.1.
func owner(release string) string {
	if release == "1.1.0" {
		return ", owner_id"
	}
	return ""
}
