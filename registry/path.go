package registry

import "strings"

// Kind says what a name below the root stands for.
type Kind uint8

// The kinds of names. The folders at the end are names that end in "/": empty
// folders on a disk, or the markers that tools leave in a bucket.
const (
	Unknown         Kind = iota // nothing that a registry writes
	Litter                      // temporary files and what filesystems and desktops leave
	Blob                        // Digest
	Revision                    // Repository, Digest
	Signature                   // Repository, Digest (of the signature)
	TagCurrent                  // Repository, Tag
	TagIndex                    // Repository, Tag, Digest
	Layer                       // Repository, Digest
	UploadStarted               // Repository, Upload
	UploadData                  // Repository, Upload
	UploadHashState             // Repository, Upload
	TagFolder                   // Repository, Tag
	TagIndexFolder              // Repository, Tag, Digest
	RevisionFolder              // Repository, Digest
	LayerFolder                 // Repository, Digest
	UploadFolder                // Repository, Upload
	Folder                      // any other, Repository where it is in one
)

// Path is what the name of an object below the root says. The strings are
// parts of the name that was parsed.
type Path struct {
	Kind       Kind
	Repository string
	Tag        string
	Upload     string
	Digest     Digest
}

// The two halves of the tree.
const (
	BlobsFolder        = "blobs/"
	RepositoriesFolder = "repositories/"
)

// ParsePath reads a name relative to the root. A name that no registry would
// write is Unknown, never an error: what lies in storage is not ours to judge.
func ParsePath(name string) Path {
	if rest, ok := strings.CutPrefix(name, BlobsFolder); ok {
		return parseBlob(rest)
	}
	if rest, ok := strings.CutPrefix(name, RepositoriesFolder); ok {
		return parseRepository(rest)
	}
	return other(name, "")
}

// other tells litter and folders from what is unknown.
func other(name, repository string) Path {
	if strings.HasSuffix(name, "/") || name == "" {
		return Path{Kind: Folder, Repository: repository}
	}
	if isLitter(name) {
		return Path{Kind: Litter, Repository: repository}
	}
	return Path{Kind: Unknown, Repository: repository}
}

// isLitter knows what is left by the filesystem driver of distribution 3.1
// and later (a temporary file beside each target), by NFS, by desktops and by
// fsck.
func isLitter(name string) bool {
	base := name[strings.LastIndexByte(name, '/')+1:]
	return strings.HasSuffix(base, ".tmp") || strings.HasPrefix(base, ".nfs") ||
		base == ".DS_Store" || base == "Thumbs.db" || strings.HasPrefix(base, "._") ||
		strings.Contains("/"+name, "/lost+found/")
}

// parseBlob reads <algorithm>/<first two digits>/<hex>/data.
func parseBlob(rest string) Path {
	body, isData := strings.CutSuffix(rest, "/data")
	if !isData {
		return other(rest, "")
	}
	cut := strings.LastIndexByte(body, '/')
	if cut < 3 {
		return other(rest, "")
	}
	hex, above := body[cut+1:], body[:cut]
	cut = strings.LastIndexByte(above, '/')
	if cut < 1 || len(hex) < 2 || above[cut+1:] != hex[:2] {
		return other(rest, "")
	}
	d, ok := digestOf(above[:cut], hex)
	if !ok {
		return other(rest, "")
	}
	return Path{Kind: Blob, Digest: d}
}

// digestOf makes a digest of the folders that stand for one.
func digestOf(folders, hex string) (Digest, bool) {
	if known, ok := algorithms[folders]; ok {
		if len(hex) != known.hash.Size()*2 || !isHex(hex) {
			return Digest{}, false
		}
		return Digest{Algorithm: folders, Hex: hex}, true
	}
	if strings.ContainsAny(folders, "+.;") {
		return Digest{}, false // a registry would have made folders of them
	}
	folders = strings.ReplaceAll(folders, "/", "+")
	if !legalAlgorithm(folders) || !isHex(hex) {
		return Digest{}, false
	}
	return Digest{Algorithm: folders, Hex: hex}, true
}

// linkDigest reads <algorithm>/<hex>.
func linkDigest(folders string) (Digest, bool) {
	cut := strings.LastIndexByte(folders, '/')
	if cut < 1 {
		return Digest{}, false
	}
	return digestOf(folders[:cut], folders[cut+1:])
}

// parseRepository splits <name>/_part/… at the first component that begins
// with "_".
func parseRepository(rest string) Path {
	name, part, ok := splitName(rest)
	if !ok {
		return other(rest, "")
	}
	p := Path{Repository: name}
	if tail, ok := strings.CutPrefix(part, "_layers/"); ok {
		return p.link(tail, Layer, LayerFolder)
	}
	if tail, ok := strings.CutPrefix(part, "_manifests/tags/"); ok {
		return p.tag(tail)
	}
	if tail, ok := strings.CutPrefix(part, "_manifests/revisions/"); ok {
		return p.revision(tail)
	}
	if tail, ok := strings.CutPrefix(part, "_uploads/"); ok {
		return p.upload(tail)
	}
	return other(part, name)
}

// splitName cuts before the first component that begins with "_". A name has
// at least one component, and none of them is empty.
func splitName(rest string) (name, part string, ok bool) {
	cut := strings.Index(rest, "/_")
	if cut < 1 || rest[0] == '_' || rest[0] == '/' || strings.Contains(rest[:cut+1], "//") {
		return "", "", false
	}
	return rest[:cut], rest[cut+1:], true
}

// link reads <digest>/link, or the folder <digest>/.
func (p Path) link(tail string, file, folder Kind) Path {
	if digest, ok := strings.CutSuffix(tail, "/link"); ok {
		if p.Digest, ok = linkDigest(digest); ok {
			p.Kind = file
			return p
		}
	}
	if digest, ok := strings.CutSuffix(tail, "/"); ok {
		if d, ok := linkDigest(digest); ok {
			p.Digest, p.Kind = d, folder
			return p
		}
	}
	return other(tail, p.Repository)
}

func (p Path) revision(tail string) Path {
	if _, signature, ok := strings.Cut(tail, "/signatures/"); ok {
		return p.link(signature, Signature, Folder)
	}
	return p.link(tail, Revision, RevisionFolder)
}

// tag reads <tag>/current/link, <tag>/index/<digest>/link and their folders.
func (p Path) tag(tail string) Path {
	tag, rest, ok := strings.Cut(tail, "/")
	if !ok || tag == "" {
		return other(tail, p.Repository)
	}
	p.Tag = tag
	switch rest {
	case "current/link":
		p.Kind = TagCurrent
		return p
	case "", "current/", "index/":
		p.Kind = TagFolder
		return p
	}
	if index, ok := strings.CutPrefix(rest, "index/"); ok {
		if q := p.link(index, TagIndex, TagIndexFolder); q.Kind != Folder {
			return q
		}
		p.Kind = TagFolder
		return p
	}
	return other(tail, p.Repository)
}

// upload reads <id>/startedat, <id>/data and <id>/hashstates/….
func (p Path) upload(tail string) Path {
	id, rest, ok := strings.Cut(tail, "/")
	if !ok || id == "" {
		return other(tail, p.Repository)
	}
	p.Upload = id
	switch {
	case rest == "startedat":
		p.Kind = UploadStarted
	case rest == "data":
		p.Kind = UploadData
	case strings.HasSuffix(rest, "/") || rest == "":
		p.Kind = UploadFolder
	case strings.HasPrefix(rest, "hashstates/"):
		p.Kind = UploadHashState
	default:
		return other(tail, p.Repository)
	}
	return p
}

// BlobPath returns the name of a blob's bytes.
func BlobPath(d Digest) string {
	short := d.Hex
	if len(short) > 2 {
		short = short[:2]
	}
	algorithm := d.Algorithm
	if algorithm != SHA256 {
		algorithm = algorithmFolders.Replace(algorithm)
	}
	return BlobsFolder + algorithm + "/" + short + "/" + d.Hex + "/data"
}

// RevisionPath returns the name of the link that makes a manifest part of a
// repository.
func RevisionPath(repository string, d Digest) string {
	return RepositoriesFolder + repository + "/_manifests/revisions/" + d.folders() + "/link"
}

// TagPath returns the folder of a tag, with a "/" at its end.
func TagPath(repository, tag string) string {
	return RepositoriesFolder + repository + "/_manifests/tags/" + tag + "/"
}

// TagCurrentPath returns the name of the link that says what a tag means.
func TagCurrentPath(repository, tag string) string {
	return TagPath(repository, tag) + "current/link"
}

// TagIndexPath returns the name of the link that says that a tag once meant
// a manifest.
func TagIndexPath(repository, tag string, d Digest) string {
	return TagPath(repository, tag) + "index/" + d.folders() + "/link"
}

// LayerPath returns the name of the link that makes a blob part of a
// repository.
func LayerPath(repository string, d Digest) string {
	return RepositoriesFolder + repository + "/_layers/" + d.folders() + "/link"
}

// UploadPath returns the folder of an upload, with a "/" at its end.
func UploadPath(repository, id string) string {
	return RepositoriesFolder + repository + "/_uploads/" + id + "/"
}
