package registry

import (
	"strings"
	"testing"
)

const (
	hexA   = "9b2c0d5f3a7e1b4c6d8f0a2b4c6d8e0f1a3b5c7d9e1f3a5b7c9d1e3f5a7b9c1d"
	hexB   = "e7ddb1f3a5c7e9d1b3f5a7c9e1d3b5f7a9c1e3d5b7f9a1c3e5d7b9f1a3c5e7d9"
	hex512 = hexA + hexB
)

var (
	digestA = Digest{"sha256", hexA}
	digestB = Digest{"sha256", hexB}
	long    = Digest{"sha512", hex512}
)

func TestParsePathReadsEveryForm(t *testing.T) {
	tests := map[string]struct {
		name string
		want Path
	}{
		"blob":                         {"blobs/sha256/9b/" + hexA + "/data", Path{Kind: Blob, Digest: digestA}},
		"blob of sha512":               {"blobs/sha512/9b/" + hex512 + "/data", Path{Kind: Blob, Digest: long}},
		"blob of a tarsum":             {"blobs/tarsum/v1/sha256/9b/" + hexA + "/data", Path{Kind: Blob, Digest: Digest{"tarsum+v1+sha256", hexA}}},
		"blob in the wrong folder":     {"blobs/sha256/aa/" + hexA + "/data", Path{Kind: Unknown}},
		"blob with a short name":       {"blobs/sha256/9b/9b2c/data", Path{Kind: Unknown}},
		"blob in capitals":             {"blobs/sha256/9B/" + strings.ToUpper(hexA) + "/data", Path{Kind: Unknown}},
		"blob folder":                  {"blobs/sha256/9b/" + hexA + "/", Path{Kind: Folder}},
		"temporary blob":               {"blobs/sha256/9b/" + hexA + "/data.3f0c.tmp", Path{Kind: Litter}},
		"blobs themselves":             {"blobs/", Path{Kind: Folder}},
		"revision":                     {"repositories/library/app/_manifests/revisions/sha256/" + hexA + "/link", Path{Kind: Revision, Repository: "library/app", Digest: digestA}},
		"revision of sha512":           {"repositories/a/_manifests/revisions/sha512/" + hex512 + "/link", Path{Kind: Revision, Repository: "a", Digest: long}},
		"revision folder without link": {"repositories/a/_manifests/revisions/sha256/" + hexA + "/", Path{Kind: RevisionFolder, Repository: "a", Digest: digestA}},
		"signature of 2.0":             {"repositories/a/_manifests/revisions/sha256/" + hexA + "/signatures/sha256/" + hexB + "/link", Path{Kind: Signature, Repository: "a", Digest: digestB}},
		"empty signatures folder":      {"repositories/a/_manifests/revisions/sha256/" + hexA + "/signatures/", Path{Kind: Folder, Repository: "a"}},
		"tag":                          {"repositories/a/b/_manifests/tags/v1.0/current/link", Path{Kind: TagCurrent, Repository: "a/b", Tag: "v1.0"}},
		"tag index":                    {"repositories/a/b/_manifests/tags/v1.0/index/sha256/" + hexA + "/link", Path{Kind: TagIndex, Repository: "a/b", Tag: "v1.0", Digest: digestA}},
		"tag folder":                   {"repositories/a/b/_manifests/tags/v1.0/", Path{Kind: TagFolder, Repository: "a/b", Tag: "v1.0"}},
		"tag folder with current":      {"repositories/a/b/_manifests/tags/v1.0/current/", Path{Kind: TagFolder, Repository: "a/b", Tag: "v1.0"}},
		"tag folder with index":        {"repositories/a/b/_manifests/tags/v1.0/index/sha256/", Path{Kind: TagFolder, Repository: "a/b", Tag: "v1.0"}},
		"index folder without link":    {"repositories/a/b/_manifests/tags/v1.0/index/sha256/" + hexA + "/", Path{Kind: TagIndexFolder, Repository: "a/b", Tag: "v1.0", Digest: digestA}},
		"tag called _layers":           {"repositories/a/_manifests/tags/_layers/current/link", Path{Kind: TagCurrent, Repository: "a", Tag: "_layers"}},
		"tag called _uploads":          {"repositories/a/_manifests/tags/_uploads/index/sha256/" + hexA + "/link", Path{Kind: TagIndex, Repository: "a", Tag: "_uploads", Digest: digestA}},
		"tags themselves":              {"repositories/a/_manifests/tags/", Path{Kind: Folder, Repository: "a"}},
		"layer":                        {"repositories/library/app/_layers/sha256/" + hexA + "/link", Path{Kind: Layer, Repository: "library/app", Digest: digestA}},
		"layer of a tarsum":            {"repositories/a/_layers/tarsum/v1/sha256/" + hexA + "/link", Path{Kind: Layer, Repository: "a", Digest: Digest{"tarsum+v1+sha256", hexA}}},
		"layer folder":                 {"repositories/a/_layers/sha256/" + hexA + "/", Path{Kind: LayerFolder, Repository: "a", Digest: digestA}},
		"nested repository":            {"repositories/library/app/cache/_layers/sha256/" + hexA + "/link", Path{Kind: Layer, Repository: "library/app/cache", Digest: digestA}},
		"upload start":                 {"repositories/a/_uploads/9ac3ea44/startedat", Path{Kind: UploadStarted, Repository: "a", Upload: "9ac3ea44"}},
		"upload data":                  {"repositories/a/_uploads/9ac3ea44/data", Path{Kind: UploadData, Repository: "a", Upload: "9ac3ea44"}},
		"upload hash state":            {"repositories/a/_uploads/9ac3ea44/hashstates/sha256/0", Path{Kind: UploadHashState, Repository: "a", Upload: "9ac3ea44"}},
		"upload folder":                {"repositories/a/_uploads/9ac3ea44/", Path{Kind: UploadFolder, Repository: "a", Upload: "9ac3ea44"}},
		"strange file in an upload":    {"repositories/a/_uploads/9ac3ea44/note", Path{Kind: Unknown, Repository: "a"}},
		"repository folder":            {"repositories/library/", Path{Kind: Folder}},
		"no repository":                {"repositories/_layers/sha256/" + hexA + "/link", Path{Kind: Unknown}},
		"empty component":              {"repositories/a//_layers/sha256/" + hexA + "/link", Path{Kind: Unknown}},
		"unknown part":                 {"repositories/a/_trash/x", Path{Kind: Unknown, Repository: "a"}},
		"link without a digest":        {"repositories/a/_layers/sha256/link", Path{Kind: Unknown, Repository: "a"}},
		"left by NFS":                  {"repositories/a/_layers/sha256/" + hexA + "/.nfs00000001", Path{Kind: Litter, Repository: "a"}},
		"left by fsck":                 {"lost+found/#12", Path{Kind: Litter}},
		"left by a desktop":            {"repositories/a/.DS_Store", Path{Kind: Litter}},
		"neither half":                 {"notes.txt", Path{Kind: Unknown}},
		"nothing":                      {"", Path{Kind: Folder}},
	}
	for behaviour, test := range tests {
		t.Run(behaviour, func(t *testing.T) {
			if got := ParsePath(test.name); got != test.want {
				t.Errorf("ParsePath(%q)\n got %+v\nwant %+v", test.name, got, test.want)
			}
		})
	}
}

func TestNamesAreParsedAsTheyAreBuilt(t *testing.T) {
	for _, d := range []Digest{digestA, long, {"tarsum+v1+sha256", hexB}} {
		for name, want := range map[string]Path{
			BlobPath(d):                Path{Kind: Blob, Digest: d},
			RevisionPath("a/b", d):     Path{Kind: Revision, Repository: "a/b", Digest: d},
			LayerPath("a/b", d):        Path{Kind: Layer, Repository: "a/b", Digest: d},
			TagIndexPath("a", "_t", d): Path{Kind: TagIndex, Repository: "a", Tag: "_t", Digest: d},
		} {
			if got := ParsePath(name); got != want {
				t.Errorf("ParsePath(%q) = %+v, want %+v", name, got, want)
			}
		}
	}
	if got := ParsePath(TagCurrentPath("a", "latest")); got.Kind != TagCurrent || got.Tag != "latest" {
		t.Errorf("current link of a tag: %+v", got)
	}
	if got := ParsePath(UploadPath("a", "id")); got.Kind != UploadFolder || got.Upload != "id" {
		t.Errorf("folder of an upload: %+v", got)
	}
}

func FuzzParsePath(f *testing.F) {
	f.Add("repositories/a/_manifests/tags/_layers/index/sha256/" + hexA + "/link")
	f.Add("blobs/sha256/9b/" + hexA + "/data")
	f.Add("repositories/a/_uploads/x/hashstates/sha256/0")
	f.Fuzz(func(t *testing.T, name string) {
		p := ParsePath(name)
		var built string
		switch p.Kind {
		case Blob:
			built = BlobPath(p.Digest)
		case Revision:
			built = RevisionPath(p.Repository, p.Digest)
		case Layer:
			built = LayerPath(p.Repository, p.Digest)
		case TagCurrent:
			built = TagCurrentPath(p.Repository, p.Tag)
		case TagIndex:
			built = TagIndexPath(p.Repository, p.Tag, p.Digest)
		default:
			return
		}
		if built != name {
			t.Errorf("ParsePath(%q) = %+v, which is built as %q", name, p, built)
		}
	})
}

func BenchmarkParsePath(b *testing.B) {
	name := "repositories/library/app/_layers/sha256/" + hexA + "/link"
	b.ReportAllocs()
	for b.Loop() {
		if ParsePath(name).Kind != Layer {
			b.Fatal("no layer")
		}
	}
}
