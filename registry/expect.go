package registry

import "strings"

// Expect names what a registry keeps in a folder, where the folder's name says
// it: most folders of a tree hold one file each. key is the folder's, with a
// "/" at its end, however much stands in front of the tree; the names are in
// order, folders with a "/". Nothing comes back for other folders.
func Expect(key string) []string {
	rest, last := cutLast(strings.TrimSuffix(key, "/"))
	above, parent := cutLast(rest)
	switch {
	case parent == "tags" && strings.HasSuffix(above, "/_manifests"):
		return expectTag
	case len(last) != 64 || !isHex(last):
		return nil
	case parent == SHA256 && strings.HasSuffix(above, "/_layers"),
		parent == SHA256 && strings.HasSuffix(above, "/index"):
		return expectLink
	case parent == last[:2] && strings.HasSuffix(above, "blobs/"+SHA256):
		return expectData
	}
	return nil
}

// What folders hold. A tag has entries for other algorithms only beside those
// for sha256, and nothing needs them then. The folders of revisions are not
// expected to hold the link alone: the first registries kept signatures there.
var (
	expectTag  = []string{"current/link", "index/sha256/"}
	expectLink = []string{"link"}
	expectData = []string{"data"}
)

// cutLast cuts the last component off.
func cutLast(path string) (rest, last string) {
	cut := strings.LastIndexByte(path, '/')
	if cut < 0 {
		return "", path
	}
	return path[:cut], path[cut+1:]
}
