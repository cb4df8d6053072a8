package orphans_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/harbordb/harbordb/blobstore"
	"github.com/harbordb/harbordb/internal/registrytest"
	"github.com/harbordb/harbordb/orphans"
	"github.com/harbordb/harbordb/registry"
)

// everythingNormal pushes what looks odd and is as it should be.
func everythingNormal(t testing.TB, w *world) {
	t.Helper()
	// Names that are part of other names, and of the layout.
	for _, tag := range []string{"1.0", "1.0-alpine", "1.0.1", "_layers", "_manifests", "_uploads"} {
		w.push(t, "library/app", registrytest.Image{Tags: []string{tag}})
	}
	w.push(t, "library/app/cache", registrytest.Image{Tags: []string{"v1"}})
	// A layer that is kept elsewhere, and the layer of no bytes.
	w.push(t, "library/windows", registrytest.Image{Tags: []string{"v1"}, MediaType: registrytest.DockerManifest, Foreign: []string{"https://elsewhere.example/layer"}})
	if w.reg.Root != "" { // the other drivers cannot write it
		w.push(t, "library/empty", registrytest.Image{Tags: []string{"v1"}, Layers: []string{""}})
	}
	w.push(t, "library/no-layers", registrytest.Image{Tags: []string{"v1"}, Layers: []string{}, Config: "{}"})
	// A signature under a tag, and a referrer whose subject is not there.
	signed := w.push(t, "library/signed", registrytest.Image{Tags: []string{"v1"}})
	w.push(t, "library/signed", registrytest.Image{Tags: []string{strings.Replace(signed.Digest, ":", "-", 1) + ".sig"}, Layers: []string{"signature"}})
	gone := registrytest.Descriptor{MediaType: registrytest.OCIManifest, Digest: other, Size: 7}
	w.push(t, "library/signed", registrytest.Image{ArtifactType: "application/x-sbom", Layers: []string{"sbom"}, Subject: &gone})
	// A tag that was moved, an image without a tag, and a deleted one.
	w.push(t, "library/moved", registrytest.Image{Tags: []string{"latest"}, Layers: []string{"old"}})
	w.push(t, "library/moved", registrytest.Image{Tags: []string{"latest"}, Layers: []string{"new"}})
	w.push(t, "library/untagged", registrytest.Image{})
	w.reg.Delete(t, w.reg.Push(t, "library/untagged", registrytest.Image{Tags: []string{"deleted"}, Layers: []string{"deleted"}}))
	// Two platforms.
	multi(t, w, "library/multi")
	// Pushes under way.
	w.reg.LeaveUpload(t, "library/app", "")
	w.reg.LeaveUpload(t, "library/app", "half a layer")
	w.reg.PushBlob(t, "library/app", "a layer whose manifest comes next")
	// What Harbor 2.15 makes of a push by tag: the tag is in the database.
	if w.harbor != nil {
		tagless := w.reg.Push(t, "library/tagless", registrytest.Image{Layers: []string{"tagless"}})
		w.harbor.push(t, tagless, []string{"v1", "v2"})
	}
}

// buildCache is an index of layers, as buildkit's default cache is.
func buildCache(t testing.TB, w *world, repository string) {
	t.Helper()
	type child struct {
		MediaType string `json:"mediaType"`
		Digest    string `json:"digest"`
		Size      int64  `json:"size"`
	}
	var list []child
	for mediaType, content := range map[string]string{
		registrytest.OCILayer: "a cached layer", "application/vnd.buildkit.cacheconfig.v0": `{"layers":[]}`,
	} {
		d := w.reg.PushBlob(t, repository, content)
		list = append(list, child{mediaType, d.Digest, d.Size})
	}
	body, err := json.Marshal(map[string]any{"schemaVersion": 2, "mediaType": registrytest.OCIIndex, "manifests": list})
	if err != nil {
		t.Fatal(err)
	}
	index := registrytest.Pushed{Repository: repository, Manifest: body, Descriptor: registrytest.Descriptor{
		MediaType: registrytest.OCIIndex, Digest: registrytest.Digest(string(body)), Size: int64(len(body)),
	}}
	w.reg.Tag(t, index, "cache")
}

func now(o *orphans.Options) {
	o.Now = time.Now()
	o.Grace, o.StaleUpload = 0, 0 // the defaults
}

func TestNothingIsFoundWhereAllIsNormal(t *testing.T) {
	for name, start := range map[string]func(testing.TB) *registrytest.Registry{
		"folder": registrytest.Filesystem, "S3": registrytest.S3, "Swift": registrytest.Swift,
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, start, newHarbor(t, newestSchema))
			everythingNormal(t, w)
			expect(t, w.scan(t, w.harbor.database(), now))
			buildCache(t, w, "library/buildkit")
			r := w.scan(t, nil, now)
			expect(t, r)
			if len(r.Waste) > 0 && r.Waste[0].Code != orphans.EmptyFolders {
				t.Errorf("waste among pushes under way: %+v", r.Waste)
			}
			expect(t, w.scan(t, w.harbor.database(), now)) // the cache is a young ghost
			deep := func(o *orphans.Options) { now(o); o.Depth = orphans.Data }
			expect(t, w.scan(t, nil, deep))
			if name == "S3" {
				r := w.scan(t, nil, deep, func(o *orphans.Options) { o.Now = time.Now().Add(1000 * time.Hour) })
				if got := noted(r, orphans.MultipartUpload); got != 2 {
					t.Errorf("%d stale multipart uploads, want 2: %+v", got, r.Waste)
				}
				expect(t, r)
			}
		})
	}
}

func TestNoiseBesideAndInTheTreeIsNoDamage(t *testing.T) {
	store := newFake()
	store.writeImages(t, "harbor/", 3)
	for _, key := range []string{
		"harbor/app-1.0.tgz", "harbor/index-cache.yaml", "readme.txt", // charts, and others' objects
		"harbor/" + treeRoot + "repositories/library/", "harbor/" + treeRoot + "blobs/", // markers of folders
		"harbor/" + treeRoot + "repositories/library/app-0/_layers/",
		"harbor/" + treeRoot + "repositories/library/app-0/_layers/.nfs0001", "harbor/" + treeRoot + "blobs/sha256/.DS_Store",
	} {
		store.put(key, []byte("x"))
	}
	tree, err := registry.Open(t.Context(), store.below("harbor/"))
	if err != nil {
		t.Fatal(err)
	}
	r := scanTree(t, tree, nil)
	expect(t, r)
	if got := noted(r, orphans.Charts); got != 0 {
		t.Errorf("a flat scan has looked beside the tree: %d", got)
	}
	r = scanTree(t, tree, nil, func(o *orphans.Options) { o.Depth = orphans.Manifests })
	if got := noted(r, orphans.Charts); got != 2 {
		t.Errorf("%d charts, want 2", got)
	}
	if got := noted(r, orphans.TempFiles); got != 2 {
		t.Errorf("%d temporary files, want 2", got)
	}
}

// TestUploadsThatNobodyFinishes: where startedat is gone or empty the
// registry's own purge never takes them.
func TestUploadsThatNobodyFinishes(t *testing.T) {
	store := newFake()
	store.writeImages(t, "", 3)
	for id, started := range map[string][]byte{"old": []byte("2024-01-02T03:04:05Z"), "empty": {}, "none": nil} {
		upload := treeRoot + registry.UploadPath("library/app-0", id)
		if started != nil {
			store.put(upload+"startedat", started)
		}
		store.put(upload+"data", []byte("half a layer"))
	}
	r := scanFake(t, store, nil)
	expect(t, r)
	if len(r.Waste) != 1 || r.Waste[0].Code != orphans.StaleUpload || r.Waste[0].Count != 3 || r.Waste[0].Bytes != 3*12+20 {
		t.Fatalf("waste %+v", r.Waste)
	}
	for _, item := range r.Waste[0].Items {
		if forgotten := !strings.Contains(item.Key, "/old/"); strings.Contains(item.Detail, "purge") != forgotten {
			t.Errorf("%s: %q", item.Key, item.Detail)
		}
	}
}

// TestManyMultipartUploadsAreMoreThanWaste: the registry looks for its own
// among the first thousand.
func TestManyMultipartUploadsAreMoreThanWaste(t *testing.T) {
	store := newFake()
	store.writeImages(t, "", 3)
	for i := range 500 {
		key := treeRoot + registry.UploadPath("library/app-0", fmt.Sprint(i)) + "data"
		store.uploads = append(store.uploads, blobstore.Upload{Key: key, ID: fmt.Sprint(i), Started: time.Now(), Size: 5})
	}
	r := scanFake(t, store, nil, now)
	expect(t, r, "G4")
	if len(r.Findings) != 1 || r.Findings[0].Severity != orphans.Warning || len(r.Waste) > 0 {
		t.Errorf("findings %s, waste %+v", details(r), r.Waste)
	}
	store.uploads = store.uploads[1:]
	expect(t, scanFake(t, store, nil, now))
}

func TestProxyCachesFetchAgainWhatIsMissing(t *testing.T) {
	h := newHarbor(t, newestSchema)
	w := newWorld(t, registrytest.Filesystem, h)
	s := one(t, w, "proxy/app")
	h.exec(t, `update project set registry_id = 1 where name = 'proxy'`)
	w.remove(t, s.layer(t))
	r := w.scan(t, h.database())
	expect(t, r, "B2 proxy/app:v1")
	if len(r.Findings) == 1 && r.Findings[0].Severity != orphans.Warning {
		t.Errorf("severity %s", r.Findings[0].Severity)
	}
}

// TestLayersThatAreKeptElsewhereAreNotMissing: Harbor has rows for them, too,
// and their type does not always say that they are foreign; their URLs do.
func TestLayersThatAreKeptElsewhereAreNotMissing(t *testing.T) {
	h := newHarbor(t, newestSchema)
	w := newWorld(t, registrytest.Filesystem, h)
	for repository, mediaType := range map[string]string{"library/windows": registrytest.DockerForeign, "library/linked": registrytest.DockerLayer} {
		url := "https://elsewhere.example/" + repository
		p := w.push(t, repository, registrytest.Image{Tags: []string{"v1"}, MediaType: registrytest.DockerManifest, Foreign: []string{url}})
		foreign := registrytest.Descriptor{MediaType: mediaType, Digest: registrytest.Digest(url), Size: 1234}
		h.blob(t, h.project(t, "library"), p, foreign)
	}
	s := one(t, w, "library/app")
	w.remove(t, s.layer(t))
	for _, depth := range []orphans.Depth{orphans.Metadata, orphans.Data} {
		expect(t, w.scan(t, h.database(), func(o *orphans.Options) { o.Depth = depth }), "B2 library/app:v1")
	}
}

func TestEmptyFoldersOnADiskAreTags(t *testing.T) {
	w := newWorld(t, registrytest.Filesystem, nil)
	s := one(t, w, "library/app")
	gone := one(t, w, "library/gone")
	for _, folder := range []string{"current", "index"} {
		path := filepath.Join(w.reg.Root, w.reg.Key(registry.TagPath(s.repository, "v1")), folder)
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
	}
	// What a deletion leaves: a folder of a revision, without the link.
	w.reg.Delete(t, gone.image)
	revision := filepath.Join(w.reg.Root, w.reg.Key(gone.revision(t)))
	if err := os.MkdirAll(filepath.Dir(revision), 0o755); err != nil {
		t.Fatal(err)
	}
	r := w.scan(t, nil)
	expect(t, r, "T1 library/app:v1")
	if noted(r, orphans.EmptyFolders) == 0 {
		t.Error("no empty folders")
	}
}

func TestSwiftsLargeObjectsAreJudgedByTheirSegments(t *testing.T) {
	h := newHarbor(t, newestSchema)
	w := newWorld(t, registrytest.Swift, h)
	s := one(t, w, "library/hollow")
	one(t, w, "library/whole")
	o, err := w.reader.Head(t.Context(), w.reg.Key(s.layer(t)))
	if err != nil || o.Segments == "" {
		t.Fatalf("the layer is no large object: %+v, %v", o, err)
	}
	w.reg.Put(t, "segments/fff/0123/0000000000000001", []byte("left behind"))
	deep := func(o *orphans.Options) { o.Depth = orphans.Manifests }
	for _, db := range []*orphans.Database{nil, h.database()} {
		r := w.scan(t, db, deep)
		expect(t, r)
		if got := noted(r, orphans.SwiftOrphanSegments); got != 1 {
			t.Errorf("%d orphan segments: %+v", got, r.Waste)
		}
	}
	w.reg.Remove(t, o.Segments+"/0000000000000001")
	for _, db := range []*orphans.Database{nil, h.database()} {
		expect(t, w.scan(t, db), "W1 library/hollow:v1")
		expect(t, w.scan(t, db, deep), "W1 library/hollow:v1")
	}
}

// TestOldAndRareLayoutsAreRead uses a tree that today's registry would not
// write any more.
func TestOldAndRareLayoutsAreRead(t *testing.T) {
	top := t.TempDir()
	put := func(name string, content []byte) { writeFile(t, top, treeRoot+name, content) }
	link := func(name, digest string) { put(name, []byte(digest)) }
	// Docker's first schema, with the signature that 2.0 kept beside.
	layer := []byte("a layer of the first schema")
	put(registry.BlobPath(digestOf(layer)), layer)
	link(registry.LayerPath("old/app", digestOf(layer)), digestOf(layer).String())
	schema1 := fmt.Appendf(nil, `{"schemaVersion":1,"name":"old/app","tag":"v1","fsLayers":[{"blobSum":%q}],"history":[]}`, digestOf(layer))
	d := digestOf(schema1)
	put(registry.BlobPath(d), schema1)
	link(registry.RevisionPath("old/app", d), d.String())
	link(registry.TagIndexPath("old/app", "v1", d), d.String())
	link(registry.TagCurrentPath("old/app", "v1"), d.String())
	signature := []byte(`{"signature":"x"}`)
	put(registry.BlobPath(digestOf(signature)), signature)
	link(strings.TrimSuffix(registry.RevisionPath("old/app", d), "link")+"signatures/sha256/"+digestOf(signature).Hex+"/link", digestOf(signature).String())
	// Links by tarsum, whose path has no dots.
	tarsum := registry.Digest{Algorithm: "tarsum+v1+sha256", Hex: strings.Repeat("0123", 16)}
	put(registry.BlobPath(tarsum), []byte("summed"))
	link(registry.LayerPath("old/app", tarsum), "tarsum.v1+sha256:"+tarsum.Hex)
	// Registry 2.1.0 linked manifests like layers.
	config := []byte(`{"architecture":"amd64"}`)
	image := imageManifest(config, layer)
	put(registry.BlobPath(digestOf(config)), config)
	put(registry.BlobPath(digestOf(image)), image)
	link(registry.LayerPath("old/bug", digestOf(config)), digestOf(config).String())
	link(registry.LayerPath("old/bug", digestOf(layer)), digestOf(layer).String())
	link(registry.LayerPath("old/bug", digestOf(image)), digestOf(image).String())
	link(registry.TagCurrentPath("old/bug", "v1"), digestOf(image).String())
	// A manifest by sha512.
	long := sha512Of(image)
	put(registry.BlobPath(long), image)
	link(registry.RevisionPath("old/bug", long), long.String())
	link(registry.TagIndexPath("old/bug", "v2", long), long.String())
	link(registry.TagCurrentPath("old/bug", "v2"), long.String())

	r := scanTree(t, openFolder(t, top), nil)
	expect(t, r)
	var garbage []string
	for _, waste := range r.Waste {
		for _, item := range waste.Items {
			garbage = append(garbage, string(waste.Code)+" "+item.Key)
		}
	}
	if want := []string{"G1 " + treeRoot + registry.BlobPath(tarsum)}; !slices.Equal(garbage, want) {
		t.Errorf("waste %q, want %q", garbage, want)
	}
	// Damage in what is named by sha512 is found, too.
	if err := os.Remove(filepath.Join(top, treeRoot, registry.BlobPath(long))); err != nil {
		t.Fatal(err)
	}
	expect(t, scanTree(t, openFolder(t, top), nil), "M1 old/bug:v2")
}
