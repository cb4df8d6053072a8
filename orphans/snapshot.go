package orphans

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/fault"
	"github.com/harbordb/harbordb/internal/progress"
	"github.com/harbordb/harbordb/registry"
)

// Database is Harbor's database as a scan needs it.
type Database struct {
	Name   string // for the report, without a password
	Engine database.Engine
	Begin  Begin
}

// snapshot is one transaction in Harbor's database: everything that is read
// through it is of one moment. Its queries run one at a time.
type snapshot struct {
	mu  sync.Mutex
	q   database.Querier
	sql dialect
	era era
}

// era is what the catalog has. It decides, and not the recorded version of the
// schema, which may lie.
type era struct {
	tagRows     bool // 1.9 and 1.10: table artifact has a row for each tag
	artifacts   bool // 2.0 and later: a row for each manifest
	proxies     bool // 2.1 and later: project.registry_id
	status      bool // 2.1 and later: blob.status
	accessories bool // 2.5 and later
	system      bool // 2.6 and later
}

// String says of which releases the catalog is.
func (e era) String() string {
	switch {
	case e.artifacts:
		return "Harbor 2"
	case e.tagRows:
		return "Harbor 1.9 or 1.10"
	}
	return "Harbor 1.8 or older"
}

// openSnapshot begins the transaction that storage is compared with. end ends
// it.
func (s *scan) openSnapshot(ctx context.Context, db *Database) (end func() error, err error) {
	q, end, err := db.Begin(ctx)
	if err != nil {
		return nil, err
	}
	snap, err := newSnapshot(ctx, q, db)
	if err != nil {
		return nil, errors.Join(err, end())
	}
	s.db = snap
	if snap.era.artifacts {
		s.owner = databaseOwnsTags
	}
	return end, nil
}

func newSnapshot(ctx context.Context, q database.Querier, db *Database) (*snapshot, error) {
	text, ok := dialects[db.Engine]
	if !ok {
		return nil, fmt.Errorf("a scan does not know the engine %q", db.Engine)
	}
	snap := &snapshot{q: q, sql: text}
	columns := make(map[string]bool)
	err := snap.each(ctx, text.columns, func(rows *sql.Rows) error {
		var table, column string
		err := rows.Scan(&table, &column)
		columns[table], columns[table+"."+column] = true, true
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the catalog of %s: %w", db.Name, err)
	}
	if !columns["repository.name"] || !columns["project.project_id"] {
		return nil, fault.Failedf("%s is no database of Harbor: it has no tables project and repository", db.Name).
			WithHint("name Harbor's database, registry, in --dsn; or scan without one: --no-db")
	}
	snap.era = era{
		artifacts:   columns["artifact.repository_name"] && columns["tag.artifact_id"],
		tagRows:     columns["artifact.repo"] && columns["artifact.tag"],
		proxies:     columns["project.registry_id"],
		status:      columns["blob.status"],
		accessories: columns["artifact_accessory"],
		system:      columns["system_artifact"],
	}
	return snap, nil
}

// each runs a query and calls f for each of its rows.
func (d *snapshot) each(ctx context.Context, query string, f func(*sql.Rows) error, args ...any) (err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	rows, err := d.q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := f(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// args are the parameters of the queries with a scope.
func (s scope) args() []any {
	project := ""
	if s.project != "" {
		project = s.project + "/"
	}
	return []any{project, s.repository}
}

// readDatabase makes records of the rows that storage is joined with.
func (s *scan) readDatabase(ctx context.Context) error {
	if s.db == nil {
		return nil
	}
	s.begin("database", 0, progress.Rows)
	if err := s.readRepositories(ctx); err != nil {
		return fmt.Errorf("read table repository: %w", err)
	}
	text, era := s.db.sql, s.db.era
	if era.tagRows {
		if err := s.db.each(ctx, text.tagRows, s.tagRow, s.scope.args()...); err != nil {
			return fmt.Errorf("read table artifact: %w", err)
		}
	}
	if !era.artifacts {
		return nil
	}
	if err := s.db.each(ctx, text.artifacts, s.artifactRow, s.scope.args()...); err != nil {
		return fmt.Errorf("read table artifact: %w", err)
	}
	if err := s.db.each(ctx, text.trash, s.trashRow, s.scope.args()...); err != nil {
		return fmt.Errorf("read table artifact_trash: %w", err)
	}
	if era.system {
		if err := s.db.each(ctx, text.system, s.systemRow); err != nil {
			return fmt.Errorf("read table system_artifact: %w", err)
		}
	}
	return nil
}

func (s *scan) readRepositories(ctx context.Context) error {
	query := s.db.sql.plainRepositories
	if s.db.era.proxies {
		query = s.db.sql.repositories
	}
	return s.db.each(ctx, query, func(rows *sql.Rows) error {
		var name string
		var registryID int64
		if err := rows.Scan(&name, &registryID); err != nil {
			return err
		}
		if s.scope.holds(name) {
			r := s.repos.get(s.repos.id(name))
			r.inDatabase, r.proxy = true, registryID != 0
		}
		return nil
	})
}

func (s *scan) tagRow(rows *sql.Rows) error {
	var repo, tag, digest string
	if err := rows.Scan(&repo, &tag, &digest); err != nil {
		return err
	}
	s.opts.Progress.Add(1)
	d, err := registry.ParseDigest(digest)
	if err != nil {
		return nil // nothing in storage can be compared with it
	}
	return s.facts.add(d, s.repos.id(repo), kindTagRow, []byte(tag))
}

func (s *scan) artifactRow(rows *sql.Rows) error {
	var id int64
	var repo, digest string
	if err := rows.Scan(&id, &repo, &digest); err != nil {
		return err
	}
	s.opts.Progress.Add(1)
	s.count.artifacts.Add(1)
	d, err := registry.ParseDigest(digest)
	if err != nil {
		return nil
	}
	number := s.repos.id(repo)
	s.repos.get(number).artifacts.Add(1)
	return s.facts.add(d, number, kindArtifact, nil)
}

func (s *scan) trashRow(rows *sql.Rows) error {
	var repo, digest string
	if err := rows.Scan(&repo, &digest); err != nil {
		return err
	}
	d, err := registry.ParseDigest(digest)
	if err != nil {
		return nil
	}
	return s.facts.add(d, s.repos.id(repo), kindTrash, nil)
}

func (s *scan) systemRow(rows *sql.Rows) error {
	var digest string
	if err := rows.Scan(&digest); err != nil {
		return err
	}
	d, err := registry.ParseDigest(digest)
	if err != nil {
		return nil
	}
	return s.facts.add(d, noRepository, kindSystem, nil)
}

// artifactBlob is a row of artifact_blob with the blob's own row, if there is
// one.
type artifactBlob struct {
	artifact, blob registry.Digest
	ref            reference
}

// eachArtifactBlob reads what the database says that the artifacts of a shard
// refer to.
func (d *snapshot) eachArtifactBlob(ctx context.Context, sh shard, within scope, f func(artifactBlob) error) error {
	query, args := d.sql.artifactBlobs, []any(nil)
	if !within.all() {
		query, args = query+d.sql.artifactBlobsScope, within.args()
	}
	condition, bounds := d.condition(sh, "ab.digest_af", len(args) > 0)
	return d.each(ctx, query+condition, func(rows *sql.Rows) error {
		var artifact, blob string
		var size sql.NullInt64
		var mediaType sql.NullString
		if err := rows.Scan(&artifact, &blob, &size, &mediaType); err != nil {
			return err
		}
		ab, ok := newArtifactBlob(artifact, blob)
		if !ok {
			return nil
		}
		ab.ref = referenceByRow(size, mediaType)
		return f(ab)
	}, append(args, bounds...)...)
}

func newArtifactBlob(artifact, blob string) (artifactBlob, bool) {
	a, errA := registry.ParseDigest(artifact)
	b, errB := registry.ParseDigest(blob)
	return artifactBlob{artifact: a, blob: b}, errA == nil && errB == nil
}

// referenceByRow tells the role of a blob by its media type, which is all that
// the database knows of it.
func referenceByRow(size sql.NullInt64, mediaType sql.NullString) reference {
	ref := reference{role: registry.RoleLayer, size: registry.SizeUnknown}
	if !size.Valid {
		return ref
	}
	ref.size = size.Int64
	switch {
	case registry.ManifestType(mediaType.String):
		ref.role = registry.RoleChild
	case registry.ConfigType(mediaType.String):
		ref.role = registry.RoleConfig
	}
	ref.foreign = registry.ForeignType(mediaType.String)
	return ref
}

// loadBlobRows adds the rows of table blob of a shard to a batch of one of its
// algorithms.
func (d *snapshot) loadBlobRows(ctx context.Context, sh shard, algorithm string, b *batch) error {
	query := d.sql.blobs
	if !d.era.status {
		query = d.sql.blobsWithoutStatus
	}
	condition, bounds := d.condition(sh, "b.digest", false)
	var raw, payload, rec []byte
	return d.each(ctx, query+condition, func(rows *sql.Rows) error {
		var digest, mediaType string
		var row objectRow
		if err := rows.Scan(&digest, &row.size, &mediaType, &row.status); err != nil {
			return err
		}
		parsed, err := registry.ParseDigest(digest)
		if err != nil || parsed.Algorithm != algorithm {
			return nil
		}
		row.foreign = registry.ForeignType(mediaType)
		raw, payload = rawDigest(raw[:0], parsed), row.encode(payload[:0])
		if len(raw) <= maxDigest {
			rec = appendRecord(rec[:0], raw, noRepository, kindObjectRow, payload)
			b.add(rec)
		}
		return nil
	}, bounds...)
}

// condition completes a query about the digests of a shard.
func (d *snapshot) condition(sh shard, column string, scoped bool) (text string, bounds []any) {
	at := everyDigest
	low, high, ok := sh.digestBounds()
	switch {
	case ok:
		at, bounds = digestRange, []any{low, high}
	case sh.rest:
		at = otherAlgorithms
	}
	text = d.sql.bounds[at].plain
	if scoped {
		text = d.sql.bounds[at].scoped
	}
	return strings.ReplaceAll(text, "{}", column), bounds
}

// artifactRow is a row of table artifact as a check or a victim sees it: with
// a number and a text that the query adds.
type artifactRow struct {
	id         int64
	repository string
	digest     string
	pulled     *time.Time
	number     int64
	text       string
}

// eachRow reads artifactRows.
func (d *snapshot) eachRow(ctx context.Context, query string, f func(artifactRow) error, args ...any) error {
	return d.each(ctx, query, func(rows *sql.Rows) error {
		var r artifactRow
		var pulled sql.NullTime
		var text sql.NullString
		if err := rows.Scan(&r.id, &r.repository, &r.digest, &pulled, &r.number, &text); err != nil {
			return err
		}
		if pulled.Valid {
			at := pulled.Time.UTC()
			r.pulled = &at
		}
		r.text = text.String
		return f(r)
	}, args...)
}
