package registrytest

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// Media types of what is pushed.
const (
	OCIManifest    = "application/vnd.oci.image.manifest.v1+json"
	OCIIndex       = "application/vnd.oci.image.index.v1+json"
	OCIConfig      = "application/vnd.oci.image.config.v1+json"
	OCILayer       = "application/vnd.oci.image.layer.v1.tar"
	OCIEmpty       = "application/vnd.oci.empty.v1+json"
	DockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
	DockerIndex    = "application/vnd.docker.distribution.manifest.list.v2+json"
	DockerConfig   = "application/vnd.docker.container.image.v1+json"
	DockerLayer    = "application/vnd.docker.image.rootfs.diff.tar.gzip"
	DockerForeign  = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
)

var acceptAll = []string{OCIManifest, OCIIndex, DockerManifest, DockerIndex}

// Descriptor points to a blob or a manifest.
type Descriptor struct {
	MediaType    string    `json:"mediaType"`
	Digest       string    `json:"digest"`
	Size         int64     `json:"size"`
	URLs         []string  `json:"urls,omitempty"`
	Platform     *Platform `json:"platform,omitempty"`
	ArtifactType string    `json:"artifactType,omitempty"`
}

// Platform is what an image of an index is for.
type Platform struct {
	Architecture string `json:"architecture"`
	OS           string `json:"os"`
}

// Image is what Push pushes. The zero value is an OCI image without layers,
// pushed by its digest alone.
type Image struct {
	Tags   []string
	Layers []string // contents
	// Config is the content of the configuration; where it is empty, one
	// is made that tells images with different layers apart.
	Config string
	// MediaType is OCIManifest or DockerManifest; empty is OCIManifest.
	MediaType string
	// Foreign are layers that lie elsewhere, at these URLs: no blob is
	// pushed for them.
	Foreign []string
	// ArtifactType makes an OCI artifact: its configuration is the empty
	// one, and its layers may be anything.
	ArtifactType string
	// Subject is what the artifact belongs to.
	Subject *Descriptor
	// Platform is what an index says about the image.
	Platform *Platform
}

// Pushed is what was pushed, and where its parts are.
type Pushed struct {
	Descriptor
	Repository string
	Manifest   []byte
	Config     Descriptor   // none for an index
	Layers     []Descriptor // without foreign ones; none for an index
}

type manifest struct {
	SchemaVersion int          `json:"schemaVersion"`
	MediaType     string       `json:"mediaType"`
	ArtifactType  string       `json:"artifactType,omitempty"`
	Config        *Descriptor  `json:"config,omitempty"`
	Layers        []Descriptor `json:"layers,omitempty"`
	Manifests     []Descriptor `json:"manifests,omitempty"`
	Subject       *Descriptor  `json:"subject,omitempty"`
}

// kind is how an image is written.
type kind struct{ manifest, config, layer, index string }

var kinds = map[string]kind{
	"":             {OCIManifest, OCIConfig, OCILayer, OCIIndex},
	OCIManifest:    {OCIManifest, OCIConfig, OCILayer, OCIIndex},
	DockerManifest: {DockerManifest, DockerConfig, DockerLayer, DockerIndex},
}

// Push pushes an image: its blobs, its manifest, its tags.
func (r *Registry) Push(t testing.TB, repository string, i Image) Pushed {
	t.Helper()
	k, ok := kinds[i.MediaType]
	if !ok {
		t.Fatalf("media type %q of an image", i.MediaType)
	}
	p := Pushed{Repository: repository}
	m := manifest{SchemaVersion: 2, MediaType: k.manifest, ArtifactType: i.ArtifactType, Subject: i.Subject}
	for _, content := range i.Layers {
		d := r.PushBlob(t, repository, content)
		d.MediaType = k.layer
		p.Layers = append(p.Layers, d)
	}
	m.Layers = append(m.Layers, p.Layers...)
	for _, url := range i.Foreign {
		m.Layers = append(m.Layers, Descriptor{MediaType: DockerForeign, Digest: Digest(url), Size: 1234, URLs: []string{url}})
	}
	p.Config = r.PushBlob(t, repository, i.config())
	p.Config.MediaType = k.config
	if i.ArtifactType != "" {
		p.Config.MediaType = OCIEmpty
	}
	m.Config = &p.Config
	r.pushManifest(t, &p, m, i.Tags)
	p.Platform, p.ArtifactType = i.Platform, i.ArtifactType
	return p
}

func (i Image) config() string {
	switch {
	case i.Config != "":
		return i.Config
	case i.ArtifactType != "":
		return "{}"
	}
	var layers []string
	for _, content := range append(i.Layers, i.Foreign...) {
		layers = append(layers, Digest(content))
	}
	platform := Platform{"amd64", "linux"}
	if i.Platform != nil {
		platform = *i.Platform
	}
	text, _ := json.Marshal(map[string]any{ // strings alone cannot fail
		"architecture": platform.Architecture, "os": platform.OS,
		"rootfs": map[string]any{"type": "layers", "diff_ids": layers},
	})
	return string(text)
}

// PushIndex pushes an index of images that were pushed to the same repository,
// in the format of the first, under tags or by its digest alone.
func (r *Registry) PushIndex(t testing.TB, repository string, tags []string, images ...Pushed) Pushed {
	t.Helper()
	k := kinds[""]
	if len(images) > 0 {
		k = kinds[images[0].MediaType]
	}
	m := manifest{SchemaVersion: 2, MediaType: k.index, Manifests: []Descriptor{}}
	for _, i := range images {
		m.Manifests = append(m.Manifests, i.Descriptor)
	}
	p := Pushed{Repository: repository}
	r.pushManifest(t, &p, m, tags)
	return p
}

// Tag puts a tag on what was pushed.
func (r *Registry) Tag(t testing.TB, p Pushed, tag string) {
	t.Helper()
	r.putManifest(t, p, tag)
}

func (r *Registry) pushManifest(t testing.TB, p *Pushed, m manifest, tags []string) {
	t.Helper()
	var err error
	if p.Manifest, err = json.Marshal(m); err != nil {
		t.Fatal(err)
	}
	p.Descriptor = Descriptor{MediaType: m.MediaType, Digest: Digest(string(p.Manifest)), Size: int64(len(p.Manifest))}
	if len(tags) == 0 {
		tags = []string{p.Digest}
	}
	for _, tag := range tags {
		r.putManifest(t, *p, tag)
	}
}

func (r *Registry) putManifest(t testing.TB, p Pushed, reference string) {
	t.Helper()
	r.send(t, http.MethodPut, "/v2/"+p.Repository+"/manifests/"+reference, p.MediaType, p.Manifest, http.StatusCreated)
}

// PushBlob pushes a blob; the media type of the descriptor is the caller's to
// say.
func (r *Registry) PushBlob(t testing.TB, repository, content string) Descriptor {
	t.Helper()
	d := Descriptor{Digest: Digest(content), Size: int64(len(content))}
	location := r.startUpload(t, repository)
	query := location.Query()
	query.Set("digest", d.Digest)
	location.RawQuery = query.Encode()
	r.send(t, http.MethodPut, location.RequestURI(), "application/octet-stream", []byte(content), http.StatusCreated)
	return d
}

// LeaveUpload starts the upload of a blob, sends content, and leaves it at
// that. It returns the upload's UUID.
func (r *Registry) LeaveUpload(t testing.TB, repository, content string) string {
	t.Helper()
	location := r.startUpload(t, repository)
	if content != "" {
		r.send(t, http.MethodPatch, location.RequestURI(), "application/octet-stream", []byte(content), http.StatusAccepted)
	}
	return location.Path[strings.LastIndexByte(location.Path, '/')+1:]
}

func (r *Registry) startUpload(t testing.TB, repository string) *url.URL {
	t.Helper()
	header := r.send(t, http.MethodPost, "/v2/"+repository+"/blobs/uploads/", "", nil, http.StatusAccepted)
	location, err := url.Parse(header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	return location
}

// Delete deletes a manifest by its digest, through the API.
func (r *Registry) Delete(t testing.TB, p Pushed) {
	t.Helper()
	r.send(t, http.MethodDelete, "/v2/"+p.Repository+"/manifests/"+p.Digest, "", nil, http.StatusAccepted)
}

// send sends a request to the API and fails unless it has the wanted status.
func (r *Registry) send(t testing.TB, method, path, mediaType string, body []byte, want int) http.Header {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, r.URL+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if mediaType != "" {
		req.Header.Set("Content-Type", mediaType)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != want {
		t.Fatalf("%s %s: %s: %s", method, path, resp.Status, answer)
	}
	return resp.Header
}

// Digest is the digest of a content.
func Digest(content string) string {
	return fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(content)))
}
