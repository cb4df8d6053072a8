package registry

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// MaxManifest is the largest manifest that a registry accepts, in bytes.
const MaxManifest = 4 << 20

// ErrManifest: the bytes are no manifest that a registry could serve.
var ErrManifest = errors.New("no manifest")

// Media types that this package has to tell apart.
const (
	typeOCIImage      = "application/vnd.oci.image.manifest.v1+json"
	typeOCIIndex      = "application/vnd.oci.image.index.v1+json"
	typeOCIEmpty      = "application/vnd.oci.empty.v1+json"
	typeSchema1       = "application/vnd.docker.distribution.manifest.v1+json"
	typeSchema1Signed = "application/vnd.docker.distribution.manifest.v1+prettyjws"
	typeDockerImage   = "application/vnd.docker.distribution.manifest.v2+json"
	typeDockerList    = "application/vnd.docker.distribution.manifest.list.v2+json"
	typeArtifact      = "application/vnd.oci.artifact.manifest.v1+json"
	typeForeignLayer  = "application/vnd.docker.image.rootfs.foreign.diff.tar"
	typeOCIForeign    = "application/vnd.oci.image.layer.nondistributable.v1."
)

// Shape is what a manifest is by what it holds; its media type may be absent
// (old OCI images) or wrong.
type Shape string

// The shapes.
const (
	Image    Shape = "image"    // a config and layers: Docker schema 2, OCI
	Index    Shape = "index"    // a list of manifests: Docker, OCI
	Schema1  Shape = "schema1"  // Docker's first: layers without sizes, no config
	Artifact Shape = "artifact" // OCI's withdrawn artifact manifest: blobs
)

// Role says what a manifest refers to something as.
type Role uint8

// The roles.
const (
	RoleConfig Role = iota + 1
	RoleLayer
	RoleChild   // of an index: a manifest, or a layer in the index of a build cache
	RoleSubject // what a signature or an attestation speaks of; may be absent
)

// String names the role for people.
func (r Role) String() string {
	switch r {
	case RoleConfig:
		return "config"
	case RoleLayer:
		return "layer"
	case RoleChild:
		return "child"
	case RoleSubject:
		return "subject"
	}
	return "reference"
}

// SizeUnknown stands for a size that nobody has written down.
const SizeUnknown int64 = -1

// Reference is what a manifest says of one other object.
type Reference struct {
	Digest Digest
	Role   Role
	Size   int64 // bytes; SizeUnknown where the manifest does not say
	// Foreign layers are kept elsewhere: they need not be in the registry.
	Foreign bool
}

// Manifest is what a manifest refers to.
type Manifest struct {
	Shape      Shape
	MediaType  string // as it says itself; may be empty
	References []Reference
}

// descriptor is an OCI descriptor as far as this package reads it.
type descriptor struct {
	MediaType string   `json:"mediaType"`
	Digest    string   `json:"digest"`
	Size      *int64   `json:"size"`
	URLs      []string `json:"urls"`
}

// document holds the keys of all shapes.
type document struct {
	MediaType string          `json:"mediaType"`
	Config    *descriptor     `json:"config"`
	Layers    []descriptor    `json:"layers"`
	Manifests *[]descriptor   `json:"manifests"`
	Blobs     *[]descriptor   `json:"blobs"`
	Subject   *descriptor     `json:"subject"`
	FSLayers  *[]schema1Layer `json:"fsLayers"`
}

type schema1Layer struct {
	BlobSum string `json:"blobSum"`
}

// ParseManifest reads a manifest of any kind that a registry has ever stored.
// It decides by the keys that are there. What refers twice to the same object
// in the same role does so once here. Errors wrap ErrManifest.
func ParseManifest(body []byte) (Manifest, error) {
	if len(body) == 0 {
		return Manifest{}, fmt.Errorf("%w: it is empty", ErrManifest)
	}
	if len(body) > MaxManifest {
		return Manifest{}, fmt.Errorf("%w: %d bytes are more than a registry accepts", ErrManifest, len(body))
	}
	var doc document
	if err := json.Unmarshal(body, &doc); err != nil {
		return Manifest{}, fmt.Errorf("%w: %w", ErrManifest, err)
	}
	m := Manifest{MediaType: doc.MediaType, Shape: doc.shape()}
	if m.Shape == "" {
		return Manifest{}, fmt.Errorf("%w: it lists neither layers nor manifests nor blobs", ErrManifest)
	}
	refs, err := doc.references(m.Shape)
	if err != nil {
		return Manifest{}, fmt.Errorf("%w: %w", ErrManifest, err)
	}
	m.References = refs
	return m, nil
}

func (doc *document) shape() Shape {
	switch {
	case doc.Manifests != nil:
		return Index
	case doc.FSLayers != nil:
		return Schema1
	case doc.Config != nil:
		return Image
	case doc.Blobs != nil || doc.MediaType == typeArtifact:
		return Artifact
	}
	switch doc.MediaType {
	case typeDockerList, typeOCIIndex:
		return Index
	case typeDockerImage, typeOCIImage:
		return Image
	case typeSchema1, typeSchema1Signed:
		return Schema1
	}
	return ""
}

// references collects what a manifest of the given shape refers to.
func (doc *document) references(shape Shape) ([]Reference, error) {
	var list referenceList
	switch shape {
	case Index:
		list.add(RoleChild, deref(doc.Manifests)...)
	case Schema1:
		for _, layer := range deref(doc.FSLayers) {
			list.add(RoleLayer, descriptor{Digest: layer.BlobSum})
		}
	case Artifact:
		list.add(RoleLayer, deref(doc.Blobs)...)
	case Image:
		if doc.Config != nil {
			list.add(RoleConfig, *doc.Config)
		}
		list.add(RoleLayer, doc.Layers...)
	}
	if doc.Subject != nil {
		list.add(RoleSubject, *doc.Subject)
	}
	return list.refs, list.err
}

func deref[T any](list *[]T) []T {
	if list == nil {
		return nil
	}
	return *list
}

// referenceList collects references, each once.
type referenceList struct {
	refs []Reference
	seen map[referenceKey]bool // used for long lists only
	err  error                 // of the first one that is not legible
}

type referenceKey struct {
	digest Digest
	role   Role
}

// manyReferences is where looking through a list becomes slower than a map. A
// manifest of the largest size can hold 40,000 descriptors.
const manyReferences = 64

func (l *referenceList) add(role Role, descriptors ...descriptor) {
	for _, d := range descriptors {
		digest, err := ParseDigest(d.Digest)
		if err != nil {
			if l.err == nil {
				l.err = fmt.Errorf("%s %w", role, err)
			}
			continue
		}
		ref := Reference{Digest: digest, Role: role, Size: SizeUnknown, Foreign: d.foreign()}
		if d.Size != nil && *d.Size >= 0 {
			ref.Size = *d.Size
		}
		if !l.has(ref) {
			l.refs = append(l.refs, ref)
		}
	}
}

// has reports whether the list has the reference; the caller adds it if not.
func (l *referenceList) has(ref Reference) bool {
	if len(l.refs) < manyReferences {
		return slices.ContainsFunc(l.refs, func(r Reference) bool {
			return r.Digest == ref.Digest && r.Role == ref.Role
		})
	}
	if l.seen == nil {
		l.seen = make(map[referenceKey]bool)
		for _, r := range l.refs {
			l.seen[referenceKey{r.Digest, r.Role}] = true
		}
	}
	key := referenceKey{ref.Digest, ref.Role}
	known := l.seen[key]
	l.seen[key] = true
	return known
}

// foreign reports whether the bytes may be elsewhere: a registry checks
// neither such layers nor anything that names URLs.
func (d descriptor) foreign() bool {
	return len(d.URLs) > 0 || ForeignType(d.MediaType)
}

// ForeignType reports whether layers of this media type are kept outside the
// registry.
func ForeignType(mediaType string) bool {
	return strings.HasPrefix(mediaType, typeForeignLayer) ||
		strings.HasPrefix(mediaType, typeOCIForeign)
}

// ManifestType reports whether a media type is one of a manifest.
func ManifestType(mediaType string) bool {
	switch mediaType {
	case typeSchema1, typeSchema1Signed, typeDockerImage, typeDockerList, typeArtifact,
		typeOCIImage, typeOCIIndex:
		return true
	}
	return false
}

// ConfigType reports whether a media type is one of an image's or an
// artifact's config.
func ConfigType(mediaType string) bool {
	return strings.Contains(mediaType, ".config.") || strings.Contains(mediaType, ".container.image.") ||
		mediaType == typeOCIEmpty
}

// SubjectOfTag returns the digest that a signature's or an attestation's tag
// speaks of: "sha256-<hex>" with or without ".sig", ".att" or ".sbom".
func SubjectOfTag(tag string) (Digest, bool) {
	algorithm, rest, found := strings.Cut(tag, "-")
	if !found {
		return Digest{}, false
	}
	value, suffix, _ := strings.Cut(rest, ".")
	switch suffix {
	case "", "sig", "att", "sbom":
	default:
		return Digest{}, false
	}
	if _, known := algorithms[algorithm]; !known {
		return Digest{}, false
	}
	d, err := ParseDigest(algorithm + ":" + value)
	return d, err == nil
}
