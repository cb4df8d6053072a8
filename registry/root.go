package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/harbordb/harbordb/blobstore"
	"github.com/harbordb/harbordb/internal/fault"
)

// rootPath is where every registry begins its tree, below a root directory
// that is a setting.
const rootPath = "docker/registry/v2/"

// Root is where in a store the tree begins.
type Root struct {
	// Prefix stands in front of every name of the tree; it is empty or ends
	// in "/".
	Prefix string
	// Segments is where Swift's driver keeps the bytes of large objects; it
	// is empty for other drivers.
	Segments string
}

// TrimRoot cuts a folder or prefix that points into the tree back to the root:
// whoever looks for damage copies the path of a blob. Others come back as
// they are.
func TrimRoot(path string) string {
	if at := strings.LastIndex(path+"/", "/"+rootPath); at >= 0 {
		return path[:at+len(rootPath)]
	}
	if strings.HasPrefix(path+"/", rootPath) {
		return path[:len(rootPath)-1]
	}
	return path
}

// nearby are the places of the root, seen from the folder or prefix that was
// given: Harbor's own layouts and the folders around the root. "files/" is
// what Swift's driver puts in front.
var nearby = []string{
	rootPath,
	"",
	"files/" + rootPath,
	"v2/",
	"registry/v2/",
	"registry/" + rootPath,
	"docker/registry/" + rootPath,
}

// FindRoot finds the tree in a store that was opened at the root, below the
// root's name or somewhere above it. It costs one listing request where the
// root is where the registry's own settings say, and at most a few hundred.
// Where there is none, or more than one, the error says what is there.
func FindRoot(ctx context.Context, store blobstore.Reader) (Root, error) {
	for _, prefix := range nearby {
		found, err := isRoot(ctx, store, prefix)
		if err != nil {
			return Root{}, err
		}
		if found {
			return rootAt(prefix), nil
		}
	}
	s := search{store: store, left: searchRequests}
	if err := s.below(ctx, "", 0); err != nil {
		return Root{}, err
	}
	switch len(s.roots) {
	case 1:
		return rootAt(s.roots[0]), nil
	case 0:
		return Root{}, s.nothing()
	}
	return Root{}, fault.Usagef("several registries below %s: %s", store, strings.Join(s.roots, ", ")).
		WithHint("name one of them in --storage")
}

func rootAt(prefix string) Root {
	root := Root{Prefix: prefix}
	if above, ok := strings.CutSuffix(prefix, "files/"+rootPath); ok {
		root.Segments = above + "segments/"
	}
	return root
}

// isRoot reports whether one half of the tree begins at prefix. A folder in
// one half that may not be read does not hide the other.
func isRoot(ctx context.Context, store blobstore.Reader, prefix string) (bool, error) {
	var failed error
	for _, half := range []string{BlobsFolder, RepositoriesFolder} {
		_, found, err := first(ctx, store, blobstore.Range{Prefix: prefix + half})
		var part *blobstore.Unreadable
		switch {
		case found:
			return true, nil
		case errors.As(err, &part):
			failed = errors.Join(failed, err)
		case err != nil: // the other half would fail alike
			return false, err
		}
	}
	return false, failed
}

// errEnough ends a listing that has said what was asked.
var errEnough = errors.New("enough")

// first returns the first key of a range.
func first(ctx context.Context, store blobstore.Reader, in blobstore.Range) (key string, found bool, err error) {
	err = store.List(ctx, in, func(o blobstore.Object) error {
		key, found = o.Key, true
		return errEnough
	})
	if err != nil && !errors.Is(err, errEnough) {
		return "", false, fmt.Errorf("look for the registry's data in %s: %w", store, err)
	}
	return key, found, nil
}

// How far a search goes: a data volume is a few folders above the root and
// holds a few dozen others.
const (
	searchRequests = 300
	searchDepth    = 5
)

// search looks through the folders of a store for roots.
type search struct {
	store blobstore.Reader
	left  int      // requests
	roots []string // prefixes
	seen  []string // names at the top, for the message
}

// below looks at each folder directly under prefix. Seen from one key, the
// next folder begins above all that share the key's folder.
func (s *search) below(ctx context.Context, prefix string, depth int) error {
	after := ""
	for s.left > 0 {
		s.left--
		key, found, err := first(ctx, s.store, blobstore.Range{Prefix: prefix, After: after})
		if err != nil || !found {
			return err
		}
		name, _, isFolder := strings.Cut(key[len(prefix):], "/")
		if depth == 0 && len(s.seen) < 5 {
			s.seen = append(s.seen, name)
		}
		if !isFolder {
			after = key
			continue
		}
		folder := prefix + name + "/"
		if err := s.folder(ctx, folder, depth); err != nil {
			return err
		}
		after = prefix + name + "0" // "0" follows "/"
	}
	return nil
}

func (s *search) folder(ctx context.Context, folder string, depth int) error {
	if inTree(folder) {
		return nil
	}
	s.left -= 2
	found, err := isRoot(ctx, s.store, folder+rootPath)
	if err != nil {
		return err
	}
	if found {
		s.roots = append(s.roots, folder+rootPath)
		return nil
	}
	if depth+1 < searchDepth {
		return s.below(ctx, folder, depth+1)
	}
	return nil
}

// inTree keeps a search out of trees of other registries' data, which hold no
// roots and very many folders.
func inTree(folder string) bool {
	return strings.HasSuffix(folder, "/"+BlobsFolder) || strings.HasSuffix(folder, "/"+RepositoriesFolder)
}

func (s *search) nothing() error {
	if len(s.seen) == 0 {
		return fault.Failedf("%s is empty: there is no registry's data in it", s.store).
			WithHint("check the bucket, the folder and the prefix: the registry's config.yml names them under storage (--registry-config)")
	}
	slices.Sort(s.seen)
	return fault.Failedf("%s holds no registry's data: neither blobs nor repositories below %s (it holds %s)",
		s.store, strings.TrimSuffix(rootPath, "/"), strings.Join(s.seen, ", ")).
		WithHint("give the folder or prefix that holds docker/registry/v2: the registry's config.yml names it as storage.<driver>.rootdirectory (--registry-config)")
}
