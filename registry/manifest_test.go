package registry

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestParseManifestReadsEveryKind(t *testing.T) {
	layer := func(mediaType string) string {
		return fmt.Sprintf(`{"mediaType":%q,"digest":"sha256:%s","size":7}`, mediaType, hexB)
	}
	config := fmt.Sprintf(`{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:%s","size":3}`, hexA)
	configRef := Reference{Digest: digestA, Role: RoleConfig, Size: 3}
	layerRef := Reference{Digest: digestB, Role: RoleLayer, Size: 7}
	foreignRef := Reference{Digest: digestB, Role: RoleLayer, Size: 7, Foreign: true}
	tests := map[string]struct {
		body  string
		shape Shape
		refs  []Reference
	}{
		"OCI image": {
			`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":` + config + `,"layers":[` + layer("application/vnd.oci.image.layer.v1.tar+gzip") + `]}`,
			Image, []Reference{configRef, layerRef},
		},
		"OCI image without a media type": {
			`{"schemaVersion":2,"config":` + config + `,"layers":[` + layer("x") + `]}`,
			Image, []Reference{configRef, layerRef},
		},
		"image without layers": {
			`{"schemaVersion":2,"config":` + config + `,"layers":null}`,
			Image, []Reference{configRef},
		},
		"Docker image": {
			`{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json","config":` + config + `,"layers":[` + layer("application/vnd.docker.image.rootfs.diff.tar.gzip") + `]}`,
			Image, []Reference{configRef, layerRef},
		},
		"foreign layer of Docker": {
			`{"config":` + config + `,"layers":[` + layer("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip") + `]}`,
			Image, []Reference{configRef, foreignRef},
		},
		"non-distributable layer of OCI": {
			`{"config":` + config + `,"layers":[` + layer("application/vnd.oci.image.layer.nondistributable.v1.tar+zstd") + `]}`,
			Image, []Reference{configRef, foreignRef},
		},
		"layer with URLs": {
			`{"config":` + config + `,"layers":[{"digest":"sha256:` + hexB + `","size":7,"urls":["https://example.com/l"]}]}`,
			Image, []Reference{configRef, foreignRef},
		},
		"the same layer twice": {
			`{"config":` + config + `,"layers":[` + layer("x") + `,` + layer("x") + `]}`,
			Image, []Reference{configRef, layerRef},
		},
		"subject": {
			`{"config":` + config + `,"layers":[],"subject":{"digest":"sha256:` + hexB + `","size":9}}`,
			Image, []Reference{configRef, {Digest: digestB, Role: RoleSubject, Size: 9}},
		},
		"OCI index": {
			`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[` + layer("application/vnd.oci.image.manifest.v1+json") + `]}`,
			Index, []Reference{{Digest: digestB, Role: RoleChild, Size: 7}},
		},
		"empty index": {
			`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}`,
			Index, nil,
		},
		"Docker list": {
			`{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.list.v2+json","manifests":[` + layer("y") + `]}`,
			Index, []Reference{{Digest: digestB, Role: RoleChild, Size: 7}},
		},
		"schema 1 with the empty layer often": {
			`{"schemaVersion":1,"name":"a","tag":"b","fsLayers":[{"blobSum":"sha256:` + hexA + `"},{"blobSum":"sha256:` + hexB + `"},{"blobSum":"sha256:` + hexA + `"}],"history":[]}`,
			Schema1, []Reference{{Digest: digestA, Role: RoleLayer, Size: SizeUnknown}, {Digest: digestB, Role: RoleLayer, Size: SizeUnknown}},
		},
		"OCI artifact manifest": {
			`{"mediaType":"application/vnd.oci.artifact.manifest.v1+json","artifactType":"x","blobs":[` + layer("x") + `]}`,
			Artifact, []Reference{layerRef},
		},
		"sha512": {
			`{"config":{"digest":"sha512:` + hex512 + `","size":3},"layers":[]}`,
			Image, []Reference{{Digest: long, Role: RoleConfig, Size: 3}},
		},
		"size that is missing or nonsense": {
			`{"config":{"digest":"sha256:` + hexA + `"},"layers":[{"digest":"sha256:` + hexB + `","size":-4}]}`,
			Image, []Reference{{Digest: digestA, Role: RoleConfig, Size: SizeUnknown}, {Digest: digestB, Role: RoleLayer, Size: SizeUnknown}},
		},
	}
	for behaviour, test := range tests {
		t.Run(behaviour, func(t *testing.T) {
			m, err := ParseManifest([]byte(test.body))
			if err != nil {
				t.Fatal(err)
			}
			if m.Shape != test.shape || !slices.Equal(m.References, test.refs) {
				t.Errorf("got %s %+v\nwant %s %+v", m.Shape, m.References, test.shape, test.refs)
			}
		})
	}
}

func TestParseManifestRefusesWhatNoRegistryCouldServe(t *testing.T) {
	for behaviour, body := range map[string]string{
		"empty":                    "",
		"cut off":                  `{"schemaVersion":2,"config":{"dig`,
		"NULs":                     "\x00\x00\x00",
		"no object":                `[]`,
		"another document":         `{"hello":"world"}`,
		"illegible digest":         `{"config":{"digest":"sha256:xyz","size":1},"layers":[]}`,
		"larger than any manifest": `{"config":"` + strings.Repeat(" ", MaxManifest) + `"}`,
	} {
		if _, err := ParseManifest([]byte(body)); !errors.Is(err, ErrManifest) {
			t.Errorf("%s: %v", behaviour, err)
		}
	}
}

func TestAnIndexOfTheLargestSizeIsReadOnce(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"manifests":[`)
	const children = 30000
	for i := range children {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"digest":"sha256:%064x","size":1}`, i/2)
	}
	b.WriteString(`]}`)
	m, err := ParseManifest([]byte(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	if len(m.References) != children/2 {
		t.Errorf("%d references, want %d", len(m.References), children/2)
	}
}

func TestSubjectOfTag(t *testing.T) {
	for tag, found := range map[string]bool{
		"sha256-" + hexA:           true,
		"sha256-" + hexA + ".sig":  true,
		"sha256-" + hexA + ".att":  true,
		"sha256-" + hexA + ".sbom": true,
		"sha256-" + hexA + ".x":    false,
		"sha256-abc.sig":           false,
		"release-1.0":              false,
		"latest":                   false,
	} {
		d, ok := SubjectOfTag(tag)
		if ok != found || ok && d != digestA {
			t.Errorf("SubjectOfTag(%q) = %v, %v", tag, d, ok)
		}
	}
}

func TestMediaTypes(t *testing.T) {
	for mediaType, want := range map[string][3]bool{ // manifest, config, foreign
		"application/vnd.docker.distribution.manifest.v2+json":         {true, false, false},
		"application/vnd.oci.image.index.v1+json":                      {true, false, false},
		"application/vnd.docker.container.image.v1+json":               {false, true, false},
		"application/vnd.oci.image.config.v1+json":                     {false, true, false},
		"application/vnd.cncf.helm.config.v1+json":                     {false, true, false},
		"application/vnd.oci.empty.v1+json":                            {false, true, false},
		"application/vnd.oci.image.layer.v1.tar+gzip":                  {false, false, false},
		"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip":    {false, false, true},
		"application/vnd.oci.image.layer.nondistributable.v1.tar+gzip": {false, false, true},
		"application/vnd.cncf.helm.chart.content.v1.tar+gzip":          {false, false, false},
		"application/vnd.docker.distribution.manifest.v1+prettyjws":    {true, false, false},
		"application/vnd.docker.image.rootfs.diff.tar.gzip":            {false, false, false},
		"application/vnd.oci.image.layer.nondistributable.v1.tar":      {false, false, true},
		"application/vnd.docker.distribution.manifest.list.v2+json":    {true, false, false},
	} {
		got := [3]bool{ManifestType(mediaType), ConfigType(mediaType), ForeignType(mediaType)}
		if got != want {
			t.Errorf("%s: manifest, config, foreign = %v, want %v", mediaType, got, want)
		}
	}
}

func FuzzParseManifest(f *testing.F) {
	f.Add([]byte(`{"config":{"digest":"sha256:` + hexA + `","size":3},"layers":[]}`))
	f.Add([]byte(`{"manifests":[{"digest":"sha256:` + hexB + `"}]}`))
	f.Add([]byte(`{"fsLayers":[{"blobSum":"sha256:` + hexA + `"}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		m, err := ParseManifest(body)
		if err != nil {
			if !errors.Is(err, ErrManifest) {
				t.Errorf("error of another kind: %v", err)
			}
			return
		}
		for _, ref := range m.References {
			if d, err := ParseDigest(ref.Digest.String()); err != nil || d != ref.Digest {
				t.Errorf("reference to %q", ref.Digest)
			}
			if ref.Size < SizeUnknown {
				t.Errorf("size %d", ref.Size)
			}
		}
	})
}
