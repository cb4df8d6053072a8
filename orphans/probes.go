package orphans

import (
	"context"
	"errors"
	"fmt"

	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/registry"
)

// probe answers whether a suspect is still wrong.
type probe func(context.Context, *again, *suspect) (bool, error)

// probes are the second looks of the codes. A code without one is a plain
// count that is right as it is.
var probes = map[Code]probe{
	TagCurrentMissing:   probeTagFolder,
	TagLinkMalformed:    probeBadLink,
	TagDangling:         probeDangling,
	TagDiffers:          probeTagRow,
	RevisionLinkMissing: probeGoneAndWanted,
	RevisionLinkBad:     probeBadLink,
	LayerLinkBad:        probeBadLink,
	LinkMismatch:        probeMismatch,
	RevisionNotInDB:     probeGhost,
	ManifestMissing:     probeGoneAndWanted,
	ManifestEmpty:       probeSize,
	ManifestCorrupt:     probeHash,
	ConfigMissing:       probeGoneAndWanted,
	LayerMissing:        probeLayer,
	BlobSize:            probeSize,
	BlobCorrupt:         probeHash,
	LayerLinkMissing:    probeGoneAndWanted,
	ChildMissing:        probeGoneAndWanted,
	ArtifactNoStorage:   probeNoStorage,
	RepositoryMismatch:  probeRepository,
	SwiftHollow:         probeHollow,
}

// probeTagFolder lists the names of a tag: the tag must still be there, and
// its current link not.
func probeTagFolder(ctx context.Context, a *again, x *suspect) (bool, error) {
	repo := a.scan.repos.name(x.repo)
	x.key = registry.TagCurrentPath(repo, x.tag)
	a.probes.Add(1)
	names := 0
	err := a.scan.tree.List(ctx, registry.Range{Prefix: registry.TagPath(repo, x.tag)}, func(o registry.Object) error {
		if o.Key == x.key {
			names = 0
			return errStop
		}
		if p := registry.ParsePath(o.Key); p.Kind == registry.TagIndex {
			x.digest = cloneDigest(p.Digest)
		}
		if names++; names == 1000 {
			return errStop
		}
		return nil
	})
	if errors.Is(err, errStop) {
		err = nil
	}
	return names > 0, err
}

// probeBadLink reads a link that held no digest.
func probeBadLink(ctx context.Context, a *again, x *suspect) (bool, error) {
	if x.code == TagLinkMalformed {
		x.key = registry.TagCurrentPath(a.scan.repos.name(x.repo), x.tag)
	}
	content, err := a.link(ctx, x.key)
	if err != nil || content == nil {
		return false, err
	}
	_, bad := registry.ParseLink(content)
	if bad == nil {
		return false, nil
	}
	x.reason = bad.Error()
	if d, ok := registry.Repairable(content); ok {
		x.reason += fmt.Sprintf("; without what surrounds it, it is %s", d)
	}
	return true, nil
}

// probeDangling: the tag must still mean the digest, and the repository still
// not have it.
func probeDangling(ctx context.Context, a *again, x *suspect) (bool, error) {
	repo := a.scan.repos.name(x.repo)
	x.key = registry.RevisionPath(repo, x.digest)
	gone, err := a.gone(ctx, x.key)
	if err != nil || !gone {
		return false, err
	}
	content, err := a.link(ctx, registry.TagCurrentPath(repo, x.tag))
	if err != nil || content == nil {
		return false, err
	}
	d, bad := registry.ParseLink(content)
	return bad == nil && d.SameFolders(x.digest), nil
}

// probeTagRow: the row must still be there, and storage still not agree.
func probeTagRow(ctx context.Context, a *again, x *suspect) (bool, error) {
	repo := a.scan.repos.name(x.repo)
	if !a.present.tagRows[repo+" "+x.tag+" "+x.digest.String()] {
		return false, nil
	}
	content, err := a.link(ctx, x.key)
	if err != nil {
		return false, err
	}
	if content == nil {
		x.reason = "storage has no such tag"
		return true, nil
	}
	d, bad := registry.ParseLink(content)
	if bad != nil || d == x.digest {
		return false, nil // a finding of its own, or in order
	}
	x.reason = "storage has it with the digest " + d.String()
	return true, nil
}

// probeGoneAndWanted: the name must still be missing, and somebody need it.
func probeGoneAndWanted(ctx context.Context, a *again, x *suspect) (bool, error) {
	gone, err := a.gone(ctx, x.key)
	if err != nil || !gone {
		return false, err
	}
	return a.wanted(ctx, x)
}

// probeLayer: the layer must still be missing and needed. The database knows
// by its type alone whether a layer is kept elsewhere; the manifest may name
// other places for a layer of any type.
func probeLayer(ctx context.Context, a *again, x *suspect) (bool, error) {
	still, err := probeGoneAndWanted(ctx, a, x)
	if err != nil || !still || !a.fromDB {
		return still, err
	}
	ref, known, err := a.reference(ctx, x)
	return !known || !ref.Foreign, err
}

// probeMismatch reads a link that held another digest than its path's.
func probeMismatch(ctx context.Context, a *again, x *suspect) (bool, error) {
	content, err := a.link(ctx, x.key)
	if err != nil || content == nil {
		return false, err
	}
	d, bad := registry.ParseLink(content)
	if bad != nil || d.SameFolders(x.digest) {
		return false, nil
	}
	x.reason = "it holds " + d.String()
	return true, nil
}

// probeGhost: the link must still be there and not be young, and the database
// still not know the manifest.
func probeGhost(ctx context.Context, a *again, x *suspect) (bool, error) {
	if a.present.has(a.scan.repos.name(x.repo), x.digest) {
		return false, nil
	}
	st, err := a.head(ctx, x.key)
	if err != nil || !st.exists {
		return false, err
	}
	return a.scan.age(st.modTime) >= a.scan.opts.Grace, nil
}

// probeSize asks for the size again. Where the size that it should have comes
// from the database, a manifest that needs the blob has the last word.
func probeSize(ctx context.Context, a *again, x *suspect) (bool, error) {
	st, err := a.head(ctx, x.key)
	if err != nil || !st.exists || st.hollow {
		return false, err
	}
	x.got = st.size
	if st.size == 0 {
		return a.wanted(ctx, x)
	}
	if x.code == ManifestEmpty || x.want == st.size || x.want < 0 {
		return false, nil
	}
	if !a.fromDB {
		return a.wanted(ctx, x)
	}
	said, err := a.sizeInManifest(ctx, x)
	return said != st.size, err
}

// sizeInManifest is what a victim's manifest says of the blob's size, or the
// database's size where no manifest can be read.
func (a *again) sizeInManifest(ctx context.Context, x *suspect) (int64, error) {
	ref, known, err := a.reference(ctx, x)
	switch {
	case err != nil:
		return 0, err
	case known && ref.Size != registry.SizeUnknown:
		return ref.Size, nil
	case len(x.victims) == 0: // nobody needs it any more
		return x.got, nil
	}
	return x.want, nil
}

// reference is what a victim's manifest says of the blob. It is false where
// none can be read or none speaks of it.
func (a *again) reference(ctx context.Context, x *suspect) (registry.Reference, bool, error) {
	for _, v := range x.victims[:min(len(x.victims), maxWanted)] {
		d, err := registry.ParseDigest(v.Digest)
		if err != nil {
			continue
		}
		a.probes.Add(1)
		body, err := a.scan.tree.Read(ctx, registry.BlobPath(d), registry.MaxManifest)
		if err != nil && !errors.Is(err, registry.ErrNotFound) {
			return registry.Reference{}, false, err
		}
		manifest, err := registry.ParseManifest(body)
		if err != nil {
			continue
		}
		for _, ref := range manifest.References {
			if ref.Digest == x.digest && ref.Role != registry.RoleSubject {
				return ref, true, nil
			}
		}
	}
	return registry.Reference{}, false, nil
}

// probeHash reads the blob again: a network may garble bytes, too.
func probeHash(ctx context.Context, a *again, x *suspect) (bool, error) {
	wrong, err := a.hashed(ctx, x.digest)
	if err != nil || !wrong {
		return false, err
	}
	return a.wanted(ctx, x)
}

// probeHollow asks for the size of a large object of Swift again.
func probeHollow(ctx context.Context, a *again, x *suspect) (bool, error) {
	st, err := a.head(ctx, x.key)
	if err != nil || !st.exists || !st.hollow {
		return false, err
	}
	return a.wanted(ctx, x)
}

// probeNoStorage: the artifact must still be there, its manifest and the link
// to it still not.
func probeNoStorage(ctx context.Context, a *again, x *suspect) (bool, error) {
	if len(x.victims) == 0 {
		return false, nil
	}
	gone, err := a.gone(ctx, x.key)
	if err != nil || !gone {
		return false, err
	}
	return a.gone(ctx, registry.BlobPath(x.digest))
}

// probeRepository: only one side may have the repository.
func probeRepository(ctx context.Context, a *again, x *suspect) (bool, error) {
	repo := a.scan.repos.name(x.repo)
	x.key = registry.RepositoriesFolder + repo + "/"
	a.probes.Add(1)
	stored := false
	err := a.scan.tree.List(ctx, registry.Range{Prefix: x.key}, func(registry.Object) error {
		stored = true
		return errStop
	})
	if err != nil && !errors.Is(err, errStop) {
		return false, err
	}
	return stored != a.present.repositories[repo], nil
}

// probeRows: the database's check must still name the cause.
func probeRows(_ context.Context, a *again, x *suspect) (bool, error) {
	return a.checks[checkKey(x.code, x.key)], nil
}

func checkKey(code Code, key string) string { return string(code) + " " + key }

// askIn reads what a newer transaction says about the suspects.
func (a *again) askIn(ctx context.Context, q database.Querier, db *Database, list []*suspect) error {
	snap, err := newSnapshot(ctx, q, db)
	if err != nil {
		return err
	}
	if a.present, err = snap.readPresent(ctx, list); err != nil {
		return fmt.Errorf("look again at what is not in the database: %w", err)
	}
	if !snap.era.artifacts {
		return nil
	}
	a.fromDB = true
	if err := snap.victimsFromDatabase(ctx, a.scan, list); err != nil {
		return err
	}
	now, err := snap.runChecks(ctx, a.scan)
	if err != nil {
		return err
	}
	a.checks = make(map[string]bool, len(now))
	for _, x := range now {
		a.checks[checkKey(x.code, x.key)] = true
	}
	return nil
}
