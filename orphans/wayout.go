package orphans

import (
	"fmt"

	"github.com/harbordb/harbordb/registry"
)

// wayOut says what to do, one step a line, what is additive and safe first.
func (s *scan) wayOut(x *suspect, f Finding) []string {
	w := way{scan: s, x: x, f: f}
	if steps := ways[x.code]; steps != nil {
		return steps(&w)
	}
	return []string{}
}

// way is what the steps are written from.
type way struct {
	scan *scan
	x    *suspect
	f    Finding
}

// ways are the steps of the codes.
var ways = map[Code]func(*way) []string{
	TagCurrentMissing:   (*way).pushAndDelete,
	TagLinkMalformed:    (*way).pushAndDelete,
	TagDangling:         (*way).dangling,
	TagDiffers:          (*way).tagRow,
	RevisionLinkMissing: (*way).writeLink,
	RevisionLinkBad:     (*way).writeLink,
	LayerLinkMissing:    (*way).writeLink,
	LayerLinkBad:        (*way).writeLink,
	LinkMismatch:        (*way).mismatch,
	RevisionNotInDB:     (*way).ghost,
	ManifestMissing:     (*way).manifestGone,
	ManifestEmpty:       (*way).manifestBad,
	ManifestCorrupt:     (*way).manifestBad,
	ConfigMissing:       (*way).blobGone,
	LayerMissing:        (*way).blobGone,
	BlobSize:            (*way).blobBad,
	BlobCorrupt:         (*way).blobBad,
	ChildMissing:        (*way).childGone,
	ArtifactNoStorage:   (*way).manifestGone,
	ArtifactSize:        (*way).associate,
	ArtifactBlobMissing: (*way).associate,
	AssociationMissing:  (*way).associate,
	BlobStatus:          (*way).status,
	ReferenceRowMissing: (*way).rows,
	RepositoryMismatch:  (*way).repository,
	MultipartUpload:     (*way).multipart,
	SwiftHollow:         (*way).hollow,
}

// target is a victim as docker names it: the first that has a tag.
func (w *way) target() string {
	for _, v := range w.f.Victims {
		if len(v.Tags) > 0 {
			return "HOST/" + v.name() + ":" + v.Tags[0]
		}
	}
	for _, v := range w.f.Victims {
		return "HOST/" + v.name() + "@" + v.Digest
	}
	return "the image"
}

// deletion is how a tag or an artifact is deleted: through Harbor where the
// database owns the tags, else by the registry's own API.
func (w *way) deletion() string {
	if w.scan.owner == databaseOwnsTags {
		return "delete the artifact in Harbor (UI or API), then run its garbage collection"
	}
	return "delete it, one tag at a time (Harbor's UI or API, or DELETE /v2/…/manifests/<digest>), then collect garbage"
}

func (w *way) pushAndDelete() []string {
	steps := []string{"push any image as " + w.target() + ": that writes the link again"}
	if w.x.digest != (registry.Digest{}) {
		steps = append(steps, fmt.Sprintf("or write %s into %s, without a newline, if the tag is to keep what it meant last",
			w.x.digest, w.scan.tree.Key(w.x.key)))
	}
	return append(steps, "if nobody needs the tag, "+w.deletion(),
		"until then no manifest of the repository can be deleted, and the registry's garbage collection may stop here")
}

func (w *way) dangling() []string {
	link := w.scan.tree.Key(w.x.key)
	steps := []string{"push the same image again as " + w.target() + ": that writes the manifest and the links"}
	if w.x.reason == objectState(object{exists: true}) {
		steps = append(steps, fmt.Sprintf("or write %s into %s, without a newline: the manifest's bytes are still there", w.x.digest, link))
	}
	return append(steps,
		"if nobody needs the tag, push any image to it and "+w.deletion(),
		"or remove the folder of the tag from storage, with all keys below "+w.scan.tree.Key(registry.TagPath(w.scan.repos.name(w.x.repo), w.x.tag)))
}

func (w *way) tagRow() []string {
	return []string{
		"storage decides in this release: if the tag is needed, push " + w.target() + " again",
		"if it is not, delete it in Harbor; its quota is corrected by the next synchronisation",
	}
}

// writeLink: the path says what a link has to hold.
func (w *way) writeLink() []string {
	return []string{
		fmt.Sprintf("write %s into %s, without a newline: the path says what it has to hold, and nothing is lost by it", w.x.digest, w.scan.tree.Key(w.x.key)),
		"or push " + w.target() + " again",
	}
}

func (w *way) mismatch() []string {
	return []string{
		"look at both digests first: a link that was copied by hand is wrong, one that a registry wrote for another algorithm is right",
		fmt.Sprintf("if it is wrong, write %s into %s, without a newline", w.x.digest, w.scan.tree.Key(w.x.key)),
	}
}

func (w *way) ghost() []string {
	repo := w.scan.repos.name(w.x.repo)
	return []string{
		fmt.Sprintf("if the image is needed: copy HOST/%s@%s out of the registry itself and push it through Harbor, which writes the rows", repo, w.x.digest),
		"if it is not: remove " + w.scan.tree.Key(w.x.key) + " and the tags that point to it; what only it needs is garbage then",
	}
}

// noGarbageCollection: it takes the layers of a manifest that it cannot read.
const noGarbageCollection = "run no garbage collection of the registry before: it would take the layers of what it cannot read"

func (w *way) manifestGone() []string {
	return []string{
		noGarbageCollection,
		"copy the image back from a replica or a backup, or push it again: " + w.target(),
		"if it is lost, " + w.giveUp(),
	}
}

// giveUp gets rid of a manifest that a registry cannot delete, because it has
// to read it first.
func (w *way) giveUp() string {
	if w.scan.owner == databaseOwnsTags {
		return w.deletion()
	}
	steps := ""
	for _, v := range w.f.Victims {
		if len(v.Tags) > 0 {
			steps = "push any image as " + w.target() + " and delete that, which takes the tag away, then "
		}
	}
	for _, id := range w.x.repos[:min(len(w.x.repos), 1)] {
		steps += "remove " + w.scan.tree.Key(registry.RevisionPath(w.scan.repos.name(id), w.x.digest))
	}
	return steps + ": the registry refuses to delete what it cannot read"
}

// setAside: what is there is not overwritten by a push.
func (w *way) setAside() string {
	return "move " + w.scan.tree.Key(w.x.key) + " away, out of docker/registry/v2: a push does not overwrite it"
}

// forget: a cached description hides that a blob is gone. Harbor keeps such
// descriptions in Redis, a plain registry mostly in its own memory.
const forget = "let the registry forget what it has cached, or a client skips the layer: delete the keys blobs::* and repository::* in Harbor's Redis (the registry's database of it); restart a registry without one"

func (w *way) manifestBad() []string {
	return []string{noGarbageCollection, w.setAside(), "push " + w.target() + " again, or copy it from a replica", "if it is lost, " + w.giveUp()}
}

func (w *way) blobGone() []string {
	if w.f.Severity == Warning {
		return []string{"a proxy cache fetches it again with the next pull of " + w.target()}
	}
	return []string{forget, "push " + w.target() + " again, or copy it from a replica: one image brings the blob back for all", "if it is lost, for each image: " + w.deletion()}
}

func (w *way) blobBad() []string {
	return append([]string{w.setAside()}, w.blobGone()...)
}

func (w *way) childGone() []string {
	return []string{
		fmt.Sprintf("push or copy the manifest %s for its platform again", w.x.digest),
		"or push " + w.target() + " again with all platforms",
		"if it is lost, " + w.deletion(),
	}
}

func (w *way) associate() []string {
	return []string{
		"switch off the schedule of Harbor's garbage collection until this is done",
		"push " + w.target() + " again: Harbor writes the missing rows when a manifest is put",
	}
}

func (w *way) status() []string {
	return []string{
		"see whether a garbage collection is running: it clears this up when it ends",
		"if none is, push " + w.target() + " again before the next one",
	}
}

func (w *way) rows() []string {
	return []string{"delete the artifact in Harbor and push it again: " + w.target()}
}

func (w *way) repository() []string {
	repo := w.scan.repos.name(w.x.repo)
	return []string{
		"if the database is the wrong one or older than storage, restore the right one",
		fmt.Sprintf("if the repository is needed, push one of its images through Harbor again: HOST/%s", repo),
		"if it is not, remove everything below " + w.scan.tree.Key(w.x.key),
	}
}

func (w *way) multipart() []string {
	return []string{"abort the old ones, and let the bucket do so by itself with a lifecycle rule for incomplete multipart uploads"}
}

func (w *way) hollow() []string {
	return append([]string{
		"look for the segments below " + w.scan.tree.Root().Segments + ": if they are there, the object only has to name them again",
	}, w.blobBad()...)
}
