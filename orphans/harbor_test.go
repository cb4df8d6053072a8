package orphans_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"strings"
	"testing"

	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/dbtest"
	"github.com/harbordb/harbordb/internal/registrytest"
	"github.com/harbordb/harbordb/orphans"
	harborsql "github.com/harbordb/harbordb/testdata/sql"
)

// harbor is the database of a Harbor, which is told what is pushed as Harbor's
// core would write it.
type harbor struct {
	db      *sql.DB
	version int
	// tx is what scans read from while it is open: damage that is done in
	// it is gone afterwards.
	tx *sql.Tx
}

// newHarbor makes a database of a schema version, without images.
func newHarbor(t testing.TB, version int) *harbor {
	t.Helper()
	settings := dbtest.PostgreSQL(t).CreateDatabase(t)
	h := &harbor{db: dbtest.Open(t, settings), version: version}
	if err := harborsql.BuildPostgreSQL(t.Context(), h.db, version); err != nil {
		t.Fatal(err)
	}
	return h
}

// database is the harbor as a scan sees it.
func (h *harbor) database() *orphans.Database {
	return &orphans.Database{
		Name: "registry", Engine: database.PostgreSQL,
		Begin: func(ctx context.Context) (database.Querier, func() error, error) {
			if h.tx != nil {
				return h.tx, func() error { return nil }, nil
			}
			tx, err := h.db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
			if err != nil {
				return nil, nil, err
			}
			return tx, tx.Rollback, nil
		},
	}
}

// damage runs a script that the test's scans see and nobody else.
func (h *harbor) damage(t testing.TB, script string) (undo func()) {
	t.Helper()
	tx, err := h.db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.ExecContext(t.Context(), script); err != nil {
		t.Fatalf("%s: %v", script, err)
	}
	h.tx = tx
	return func() {
		h.tx = nil
		if err := tx.Rollback(); err != nil {
			t.Error(err)
		}
	}
}

func (h *harbor) exec(t testing.TB, query string, args ...any) {
	t.Helper()
	if _, err := h.db.ExecContext(context.Background(), query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

func (h *harbor) id(t testing.TB, query string, args ...any) (id int64) {
	t.Helper()
	if err := h.db.QueryRowContext(context.Background(), query, args...).Scan(&id); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return id
}

// project returns a project's id, and makes it where it is new.
func (h *harbor) project(t testing.TB, name string) int64 {
	h.exec(t, `insert into project (owner_id, name) values (1, $1) on conflict (name) do nothing`, name)
	return h.id(t, `select project_id from project where name = $1`, name)
}

// push writes the rows of what was pushed: in the order of core's middlewares,
// blobs, associations, the artifact, its tags.
func (h *harbor) push(t testing.TB, p registrytest.Pushed, tags []string, children ...registrytest.Pushed) {
	t.Helper()
	name, _, _ := strings.Cut(p.Repository, "/")
	project := h.project(t, name)
	h.exec(t, `insert into repository (name, project_id) values ($1, $2) on conflict (name) do nothing`, p.Repository, project)
	if h.version < 10 {
		return
	}
	parts := append([]registrytest.Descriptor{p.Descriptor}, p.Layers...)
	if p.Config.Digest != "" {
		parts = append(parts, p.Config)
	}
	for _, c := range children {
		parts = append(parts, c.Descriptor)
	}
	for _, d := range parts {
		h.blob(t, project, p, d)
	}
	if h.version < 30 {
		for _, tag := range tags {
			h.exec(t, `insert into artifact (project_id, repo, tag, digest, kind, creation_time, push_time, pull_time) values ($1, $2, $3, $4, 'Docker-Image', now(), now(), '2024-05-06 07:08:09')
				on conflict (project_id, repo, tag) do update set digest = excluded.digest`, project, p.Repository, tag, p.Digest)
		}
		return
	}
	h.artifact(t, project, p, tags, children)
}

func (h *harbor) blob(t testing.TB, project int64, p registrytest.Pushed, d registrytest.Descriptor) {
	h.exec(t, `insert into blob (digest, content_type, size) values ($1, $2, $3) on conflict (digest) do nothing`, d.Digest, d.MediaType, d.Size)
	h.exec(t, `insert into artifact_blob (digest_af, digest_blob) values ($1, $2) on conflict do nothing`, p.Digest, d.Digest)
	h.exec(t, `insert into project_blob (project_id, blob_id) select $1, id from blob where digest = $2 on conflict do nothing`, project, d.Digest)
}

func (h *harbor) artifact(t testing.TB, project int64, p registrytest.Pushed, tags []string, children []registrytest.Pushed) {
	repository := h.id(t, `select repository_id from repository where name = $1`, p.Repository)
	size := p.Size + p.Config.Size
	for _, l := range p.Layers {
		size += l.Size
	}
	columns, values := "", ""
	if h.version >= 140 {
		columns, values = ", artifact_type", ", 'IMAGE'"
	}
	h.exec(t, `insert into artifact (project_id, repository_name, repository_id, digest, type, media_type, manifest_media_type, size, push_time, pull_time`+columns+`)
		values ($1, $2, $3, $4, 'IMAGE', 'application/vnd.oci.image.config.v1+json', $5, $6, now(), '2024-05-06 07:08:09'`+values+`)
		on conflict (repository_id, digest) do nothing`, project, p.Repository, repository, p.Digest, p.MediaType, size)
	artifact := h.id(t, `select id from artifact where repository_id = $1 and digest = $2`, repository, p.Digest)
	for _, tag := range tags {
		h.exec(t, `insert into tag (repository_id, artifact_id, name) values ($1, $2, $3)
			on conflict (repository_id, name) do update set artifact_id = excluded.artifact_id`, repository, artifact, tag)
	}
	for _, c := range children {
		child := h.id(t, `select id from artifact where repository_id = $1 and digest = $2`, repository, c.Digest)
		h.exec(t, `insert into artifact_reference (parent_id, child_id, child_digest) values ($1, $2, $3) on conflict do nothing`, artifact, child, c.Digest)
	}
}

// row is an image of writeImages as the database has it.
type row struct {
	Project    string   `json:"project"`
	Repository string   `json:"repository"`
	Digest     string   `json:"digest"`
	Tag        string   `json:"tag"`
	Size       int      `json:"size"`
	Layers     []string `json:"layers"`
	Config     string   `json:"config"`
}

// pushImages writes the rows of writeImages.
func (h *harbor) pushImages(t testing.TB, tags int) {
	t.Helper()
	var rows []row
	sizes := map[string]int{}
	eachImage(tags, func(repository, tag string, config []byte, layers [][]byte, manifest []byte) {
		project, _, _ := strings.Cut(repository, "/")
		r := row{Project: project, Repository: repository, Tag: tag, Digest: digestOf(manifest).String(), Size: len(manifest), Config: digestOf(config).String()}
		sizes[r.Digest], sizes[r.Config] = len(manifest), len(config)
		for _, l := range layers {
			r.Layers = append(r.Layers, digestOf(l).String())
			sizes[digestOf(l).String()] = len(l)
		}
		rows = append(rows, r)
	})
	text, err := json.Marshal(rows)
	if err != nil {
		t.Fatal(err)
	}
	sizeText, err := json.Marshal(sizes)
	if err != nil {
		t.Fatal(err)
	}
	h.exec(t, `create temp table image on commit preserve rows as
		select * from jsonb_to_recordset($1::jsonb) as x(project text, repository text, digest text, tag text, size int, layers jsonb, config text)`, string(text))
	h.exec(t, `insert into project (owner_id, name) select distinct 1, project from image on conflict (name) do nothing`)
	h.exec(t, `insert into repository (name, project_id) select distinct i.repository, p.project_id from image i join project p on p.name = i.project`)
	h.exec(t, `insert into blob (digest, content_type, size) select key, case when exists (select 1 from image where digest = key)
			then 'application/vnd.oci.image.manifest.v1+json' when exists (select 1 from image where config = key)
			then 'application/vnd.oci.image.config.v1+json' else 'application/vnd.oci.image.layer.v1.tar+gzip' end, value::int
		from jsonb_each_text($1::jsonb)`, string(sizeText))
	h.exec(t, `insert into artifact_blob (digest_af, digest_blob)
		select digest, digest from image union select digest, config from image union select digest, jsonb_array_elements_text(layers) from image`)
	h.exec(t, `insert into project_blob (project_id, blob_id) select distinct p.project_id, b.id from image i
		join project p on p.name = i.project join artifact_blob ab on ab.digest_af = i.digest join blob b on b.digest = ab.digest_blob`)
	h.exec(t, `insert into artifact (project_id, repository_name, repository_id, digest, type, media_type, manifest_media_type, size, push_time, artifact_type)
		select p.project_id, i.repository, r.repository_id, i.digest, 'IMAGE', 'a', 'b', 1000, now(), 'IMAGE' from image i
		join project p on p.name = i.project join repository r on r.name = i.repository`)
	h.exec(t, `insert into tag (repository_id, artifact_id, name) select a.repository_id, a.id, i.tag from image i
		join artifact a on a.repository_name = i.repository and a.digest = i.digest`)
}
