package orphans

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"

	"github.com/harbordb/harbordb/registry"
)

// askBatch is how many keys one query is asked for.
const askBatch = 500

// family is what the database says about the artifacts of the suspects: by
// digest, by the blobs they need, by their ids upwards.
type family struct {
	byDigest map[string][]artifactRow // artifacts of a digest
	users    map[string][]artifactRow // artifacts that need a blob
	beyond   map[string]int64         // those of them that are counted only
	parents  map[int64][]artifactRow  // indexes that have an artifact
	tags     map[int64][]string
}

// victimsFromDatabase finds the victims by the rows of a newer transaction
// than the one that storage was compared with. What nobody owns any more has
// no victims then.
func (d *snapshot) victimsFromDatabase(ctx context.Context, s *scan, list []*suspect) error {
	f := family{
		byDigest: make(map[string][]artifactRow), users: make(map[string][]artifactRow), beyond: make(map[string]int64),
		parents: make(map[int64][]artifactRow), tags: make(map[int64][]string),
	}
	if err := d.readFamily(ctx, &f, list); err != nil {
		return fmt.Errorf("read the artifacts of what is wrong: %w", err)
	}
	for _, x := range list {
		switch x.seed() {
		case seedManifest:
			f.add(s, x, f.byDigest[x.digest.String()])
		case seedBlob:
			f.add(s, x, f.users[x.digest.String()])
			x.victimCount += f.beyond[x.digest.String()]
		case seedRows:
			count := x.victimCount
			for _, r := range x.artifacts {
				x.addVictim(f.victim(r))
			}
			x.victimCount = max(count, int64(len(x.victims)))
		}
	}
	return nil
}

func (d *snapshot) readFamily(ctx context.Context, f *family, list []*suspect) error {
	digests := make(map[seed]map[string]bool)
	ids := make(map[int64]bool)
	for _, x := range list {
		kind := x.seed()
		if digests[kind] == nil {
			digests[kind] = make(map[string]bool)
		}
		digests[kind][x.digest.String()] = true
		for _, r := range x.artifacts {
			ids[r.id] = true
		}
	}
	err := d.rowsOf(ctx, d.sql.byDigest, digests[seedManifest], func(r artifactRow) {
		f.byDigest[r.digest] = append(f.byDigest[r.digest], r)
		ids[r.id] = true
	})
	if err != nil {
		return err
	}
	err = d.rowsOf(ctx, d.sql.users, digests[seedBlob], func(r artifactRow) {
		if len(f.users[r.text]) == maxUsers {
			f.beyond[r.text]++
			return
		}
		f.users[r.text] = append(f.users[r.text], r)
		ids[r.id] = true
	})
	if err != nil {
		return err
	}
	if err := d.readParents(ctx, f, ids); err != nil {
		return err
	}
	return d.readTags(ctx, f, ids)
}

// rowsOf asks for artifacts by digests, some at a time.
func (d *snapshot) rowsOf(ctx context.Context, query string, digests map[string]bool, f func(artifactRow)) error {
	for part := range slices.Chunk(slices.Sorted(maps.Keys(digests)), askBatch) {
		err := d.eachRow(ctx, query, func(r artifactRow) error { f(r); return nil }, part)
		if err != nil {
			return err
		}
	}
	return nil
}

// readParents reads upwards, and adds the ids of what it meets.
func (d *snapshot) readParents(ctx context.Context, f *family, ids map[int64]bool) error {
	level := slices.Sorted(maps.Keys(ids))
	for range maxDepth {
		var above []int64
		for part := range slices.Chunk(level, askBatch) {
			err := d.eachRow(ctx, d.sql.parents, func(r artifactRow) error {
				f.parents[r.number] = append(f.parents[r.number], r)
				if !ids[r.id] {
					ids[r.id] = true
					above = append(above, r.id)
				}
				return nil
			}, part)
			if err != nil {
				return err
			}
		}
		if level = above; len(level) == 0 {
			return nil
		}
	}
	return nil
}

func (d *snapshot) readTags(ctx context.Context, f *family, ids map[int64]bool) error {
	for part := range slices.Chunk(slices.Sorted(maps.Keys(ids)), askBatch) {
		err := d.each(ctx, d.sql.tags, func(rows *sql.Rows) error {
			var id int64
			var name string
			if err := rows.Scan(&id, &name); err != nil {
				return err
			}
			f.tags[id] = append(f.tags[id], name)
			return nil
		}, part)
		if err != nil {
			return err
		}
	}
	return nil
}

// add adds artifacts of a suspect's repositories, and what has them as
// children.
func (f *family) add(s *scan, x *suspect, level []artifactRow) {
	seen := make(map[int64]bool)
	for len(level) > 0 {
		var above []artifactRow
		for _, r := range level {
			if seen[r.id] || !x.hits(s.repos.id(r.repository)) {
				continue
			}
			seen[r.id] = true
			x.addVictim(f.victim(r))
			above = append(above, f.parents[r.id]...)
		}
		level = above
	}
}

func (f *family) victim(r artifactRow) Victim {
	v := newVictim(r.repository, r.digest, f.tags[r.id])
	v.PullTime = r.pulled
	return v
}

// present is what a newer transaction has: which digests are artifacts or in
// the trash, the rows of tags, and the repositories.
type present struct {
	artifacts, trash map[string]bool // "repository@digest"
	tagRows          map[string]bool // "repository tag digest"
	repositories     map[string]bool
}

// readPresent asks about the suspects that concern the database.
func (d *snapshot) readPresent(ctx context.Context, list []*suspect) (*present, error) {
	p := &present{
		artifacts: make(map[string]bool), trash: make(map[string]bool),
		tagRows: make(map[string]bool), repositories: make(map[string]bool),
	}
	digests := make(map[string]bool)
	for _, x := range list {
		if x.code == RevisionNotInDB || x.code == TagDiffers {
			digests[x.digest.String()] = true
		}
	}
	for part := range slices.Chunk(slices.Sorted(maps.Keys(digests)), askBatch) {
		if err := d.readPart(ctx, p, part); err != nil {
			return nil, err
		}
	}
	return p, d.pairs(ctx, d.sql.plainRepositories, func(name, _ string) { p.repositories[name] = true })
}

func (d *snapshot) readPart(ctx context.Context, p *present, part []string) error {
	if d.era.tagRows {
		return d.pairs(ctx, d.sql.liveTagRows, func(repo, tag string) { p.tagRows[repo+" "+tag] = true }, part)
	}
	if !d.era.artifacts {
		return nil
	}
	err := d.eachRow(ctx, d.sql.byDigest, func(r artifactRow) error {
		p.artifacts[r.repository+"@"+r.digest] = true
		return nil
	}, part)
	if err != nil {
		return err
	}
	return d.pairs(ctx, d.sql.liveTrash, func(repo, digest string) { p.trash[repo+"@"+digest] = true }, part)
}

// pairs reads rows of two texts.
func (d *snapshot) pairs(ctx context.Context, query string, f func(a, b string), args ...any) error {
	return d.each(ctx, query, func(rows *sql.Rows) error {
		var a, b string
		if err := rows.Scan(&a, &b); err != nil {
			return err
		}
		f(a, b)
		return nil
	}, args...)
}

// has reports whether the database has an artifact, or its trash.
func (p *present) has(repository string, d registry.Digest) bool {
	key := repository + "@" + d.String()
	return p.artifacts[key] || p.trash[key]
}
