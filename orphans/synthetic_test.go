package orphans_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/harbordb/harbordb/blobstore"
	"github.com/harbordb/harbordb/registry"
)

// synthetic is a bucket of any size that is made up while it is listed: the
// same images as writeImages makes, 12 keys a tag. The digests of layers and
// configs are made up, too, so that they can be listed in order; those of
// manifests are true, and lie sorted in a file.
type synthetic struct {
	tags      int
	manifests *os.File // entries of manifestEntry bytes, by digest
}

// What makes digests up: multiples of a step, in an order that scatters the
// layers of an image over all of them.
const (
	scatter       = 2654435761
	manifestEntry = sha256.Size + 4
	blobSize      = 300
)

func (s *synthetic) repositories() int { return (s.tags + perRepository - 1) / perRepository }

// invented is how many digests are made up: three layers and a config of each
// image, two layers that all share, and one of each repository.
func (s *synthetic) invented() uint64 { return uint64(4*s.tags + 2 + s.repositories()) }

func (s *synthetic) step() uint64 { return ^uint64(0) / s.invented() }

// layer makes the i-th digest up.
func (s *synthetic) layer(i int) registry.Digest {
	return s.inOrder(uint64(i) * scatter % s.invented())
}

// inOrder is the k-th of them by value.
func (s *synthetic) inOrder(k uint64) registry.Digest {
	var sum [sha256.Size]byte
	binary.BigEndian.PutUint64(sum[:], k*s.step())
	for at := 8; at < len(sum); at += 8 {
		binary.BigEndian.PutUint64(sum[at:], k*0x9e3779b97f4a7c15)
	}
	return registry.Digest{Algorithm: registry.SHA256, Hex: hex.EncodeToString(sum[:])}
}

// parts are the layers and the config of an image.
func (s *synthetic) parts(tag int) (layers [6]registry.Digest, config registry.Digest) {
	shared := 4 * s.tags
	return [6]registry.Digest{
		s.layer(shared), s.layer(shared + 1), s.layer(shared + 2 + tag/perRepository),
		s.layer(4 * tag), s.layer(4*tag + 1), s.layer(4*tag + 2),
	}, s.layer(4*tag + 3)
}

func (s *synthetic) manifest(tag int) []byte {
	layers, config := s.parts(tag)
	body := make([]byte, 0, 1200)
	describe := func(mediaType string, d registry.Digest) {
		body = append(body, `{"mediaType":"`...)
		body = append(body, mediaType...)
		body = append(body, `","digest":"sha256:`...)
		body = append(body, d.Hex...)
		body = append(body, `","size":`...)
		body = strconv.AppendInt(body, blobSize, 10)
		body = append(body, '}')
	}
	body = append(body, `{"schemaVersion":2,"mediaType":"`+typeImage+`","config":`...)
	describe(typeConfig, config)
	body = append(body, `,"layers":[`...)
	for i, l := range layers {
		if i > 0 {
			body = append(body, ',')
		}
		describe(typeLayer, l)
	}
	return append(body, "]}"...)
}

// newSynthetic writes the sorted digests of all manifests to a folder: apart by
// their first byte, and then one part after the other.
func newSynthetic(folder string, tags int) (s *synthetic, err error) {
	s = &synthetic{tags: tags}
	var parts [256]*bufio.Writer
	var files [256]*os.File
	for i := range parts {
		if files[i], err = os.Create(filepath.Join(folder, fmt.Sprintf("part-%02x", i))); err != nil {
			return nil, err
		}
		parts[i] = bufio.NewWriter(files[i])
	}
	for tag := range tags {
		sum := sha256.Sum256(s.manifest(tag))
		entry := binary.BigEndian.AppendUint32(sum[:], uint32(tag))
		if _, err := parts[sum[0]].Write(entry); err != nil {
			return nil, err
		}
	}
	if s.manifests, err = os.Create(filepath.Join(folder, "manifests")); err != nil {
		return nil, err
	}
	for i, part := range parts {
		if err := s.addPart(part, files[i]); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// addPart appends a part, sorted.
func (s *synthetic) addPart(w *bufio.Writer, file *os.File) error {
	if err := w.Flush(); err != nil {
		return err
	}
	content, err := os.ReadFile(file.Name())
	if err = errors.Join(err, file.Close(), os.Remove(file.Name())); err != nil {
		return err
	}
	var entries [][]byte
	for entry := range slices.Chunk(content, manifestEntry) {
		entries = append(entries, entry)
	}
	slices.SortFunc(entries, bytes.Compare)
	_, err = s.manifests.Write(bytes.Join(entries, nil))
	return err
}

func openSynthetic(folder string, tags int) (*synthetic, error) {
	file, err := os.Open(filepath.Join(folder, "manifests"))
	return &synthetic{tags: tags, manifests: file}, err
}

// entry is the i-th manifest by digest.
func (s *synthetic) entry(i int) (sum []byte, tag int, err error) {
	var buf [manifestEntry]byte
	_, err = s.manifests.ReadAt(buf[:], int64(i)*manifestEntry)
	return buf[:sha256.Size], int(binary.BigEndian.Uint32(buf[sha256.Size:])), err
}

// find returns the index of the first manifest that is not below a digest.
func (s *synthetic) find(sum []byte) int {
	return sort.Search(s.tags, func(i int) bool {
		at, _, err := s.entry(i)
		return err != nil || bytes.Compare(at, sum) >= 0
	})
}

func (s *synthetic) String() string { return "synthetic" }

func (s *synthetic) List(ctx context.Context, in blobstore.Range, each func(blobstore.Object) error) error {
	give := func(name string, size int64, sum []byte) error {
		key := treeRoot + name
		if !in.Contains(key) {
			return nil
		}
		return each(blobstore.Object{Key: key, Size: size, MD5: sum})
	}
	if in.Overlaps(treeRoot + registry.BlobsFolder) {
		if err := s.listBlobs(in, give); err != nil {
			return err
		}
	}
	for r := range s.repositories() {
		if in.Overlaps(treeRoot + registry.RepositoriesFolder + repositoryName(r) + "/") {
			if err := s.listRepository(r, give); err != nil {
				return err
			}
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

func repositoryName(r int) string { return fmt.Sprintf("library/app-%07d", r) }

// listRepository makes the keys of one repository in order.
func (s *synthetic) listRepository(r int, give func(string, int64, []byte) error) error {
	repository := repositoryName(r)
	shared := 4 * s.tags
	layers := []registry.Digest{s.layer(shared), s.layer(shared + 1), s.layer(shared + 2 + r)}
	type tagged struct {
		name string
		d    registry.Digest
	}
	var tags []tagged
	var revisions []registry.Digest
	for tag := r * perRepository; tag < min((r+1)*perRepository, s.tags); tag++ {
		for n := range 4 {
			layers = append(layers, s.layer(4*tag+n))
		}
		d := digestOf(s.manifest(tag))
		revisions = append(revisions, d)
		tags = append(tags, tagged{fmt.Sprintf("v1.%03d", tag%perRepository), d})
	}
	byValue := func(a, b registry.Digest) int { return strings.Compare(a.Hex, b.Hex) }
	slices.SortFunc(layers, byValue)
	slices.SortFunc(revisions, byValue)
	link := func(name string, d registry.Digest) error {
		sum := registry.LinkMD5(d)
		return give(name, registry.LinkSize(d), sum[:])
	}
	for _, d := range layers {
		if err := link(registry.LayerPath(repository, d), d); err != nil {
			return err
		}
	}
	for _, d := range revisions {
		if err := link(registry.RevisionPath(repository, d), d); err != nil {
			return err
		}
	}
	for _, t := range tags {
		err := errors.Join(link(registry.TagCurrentPath(repository, t.name), t.d), link(registry.TagIndexPath(repository, t.name, t.d), t.d))
		if err != nil {
			return err
		}
	}
	return nil
}

// listBlobs merges the made-up digests with those of the manifests.
func (s *synthetic) listBlobs(in blobstore.Range, give func(string, int64, []byte) error) error {
	first := firstDigest(in)
	k := binary.BigEndian.Uint64(first) / s.step()
	next := s.find(first)
	reader := bufio.NewReaderSize(io.NewSectionReader(s.manifests, int64(next)*manifestEntry, int64(s.tags-next)*manifestEntry), 1<<16)
	var entry [manifestEntry]byte
	_, err := io.ReadFull(reader, entry[:])
	for k < s.invented() || err == nil {
		d := registry.Digest{Algorithm: registry.SHA256, Hex: "g"}
		size := int64(blobSize)
		if k < s.invented() {
			d = s.inOrder(k)
		}
		if at := hex.EncodeToString(entry[:sha256.Size]); err == nil && at < d.Hex {
			d.Hex, size = at, int64(len(s.manifest(int(binary.BigEndian.Uint32(entry[sha256.Size:])))))
			_, err = io.ReadFull(reader, entry[:])
		} else {
			k++
		}
		name := registry.BlobPath(d)
		if in.Before != "" && treeRoot+name >= in.Before {
			return nil
		}
		if err := give(name, size, nil); err != nil {
			return err
		}
	}
	return nil
}

// firstDigest is a bound below the digests of a range.
func firstDigest(in blobstore.Range) []byte {
	sum := make([]byte, sha256.Size)
	if at := strings.LastIndexByte(in.After, '/'); at >= 0 && strings.Contains(in.After, "blobs/sha256/") {
		text := in.After[at+1:]
		if text == "data" {
			text = in.After[at-64 : at]
		}
		_, _ = hex.Decode(sum, []byte(text[:len(text)/2*2]))
	}
	return sum
}

func (s *synthetic) Get(_ context.Context, key string, _ int64) (io.ReadCloser, error) {
	p := registry.ParsePath(strings.TrimPrefix(key, treeRoot))
	sum, err := hex.DecodeString(p.Digest.Hex)
	if err != nil || p.Kind != registry.Blob {
		return nil, blobstore.ErrNotFound
	}
	at, tag, err := s.entry(s.find(sum))
	if err != nil || !bytes.Equal(at, sum) {
		return nil, blobstore.ErrNotFound
	}
	return io.NopCloser(bytes.NewReader(s.manifest(tag))), nil
}

func (s *synthetic) Head(context.Context, string) (blobstore.Object, error) {
	return blobstore.Object{ModTime: time.Unix(0, 0)}, blobstore.ErrNotFound
}

func (s *synthetic) Uploads(context.Context, string, func(blobstore.Upload) error) error { return nil }
