package orphans_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/harbordb/harbordb/internal/registrytest"
	"github.com/harbordb/harbordb/orphans"
	"github.com/harbordb/harbordb/registry"
)

// liveTime is how long pushes and deletions run beside scans;
// HARBORDB_LIVE=5m makes it longer.
func liveTime(t *testing.T) time.Duration {
	text := os.Getenv("HARBORDB_LIVE")
	if text == "" {
		return 6 * time.Second
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestNothingInFlightIsDamage scans while images are pushed, moved and
// deleted, as Harbor does it: a push writes storage first and rows last, a
// deletion removes the row, and a garbage collection the manifest and its
// blobs.
func TestNothingInFlightIsDamage(t *testing.T) {
	for name, start := range map[string]func(testing.TB) *registrytest.Registry{
		"folder": registrytest.Filesystem, "S3": registrytest.S3,
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarbor(t, newestSchema)
			w := newWorld(t, start, h)
			one(t, w, "live/still")
			ctx, cancel := context.WithTimeout(t.Context(), liveTime(t))
			defer cancel()
			var busy sync.WaitGroup
			for i := range 3 {
				busy.Go(func() { pushAndDelete(t, ctx, w, i) })
			}
			scans := 0
			for ctx.Err() == nil {
				settle := func(o *orphans.Options) { now(o); o.Settle = 1500 * time.Millisecond; o.Split = 50 }
				expect(t, w.scan(t, nil, settle))
				expect(t, w.scan(t, h.database(), settle))
				scans += 2
			}
			busy.Wait()
			t.Logf("%d scans", scans)
			expect(t, w.scan(t, nil, now))
		})
	}
}

func pushAndDelete(t *testing.T, ctx context.Context, w *world, worker int) {
	repository := fmt.Sprintf("live/worker-%d", worker)
	for n := 0; ctx.Err() == nil; n++ {
		tag := fmt.Sprintf("v%d", n%5)
		own := fmt.Sprintf("layer %d of %s", n, repository)
		p := w.push(t, repository, registrytest.Image{Tags: []string{tag}, Layers: []string{"base of " + repository, own}})
		if n%3 == 0 {
			continue // it stays, and the next push of the tag moves it
		}
		// The row first, then the manifest, then what only it needed.
		w.harbor.exec(t, `insert into artifact_trash (media_type, manifest_media_type, repository_name, digest) values ('a', 'b', $1, $2) on conflict do nothing`, repository, p.Digest)
		w.harbor.exec(t, `delete from tag where artifact_id in (select id from artifact where repository_name = $1 and digest = $2)`, repository, p.Digest)
		w.harbor.exec(t, `delete from artifact where repository_name = $1 and digest = $2`, repository, p.Digest)
		w.reg.Delete(t, p)
		w.harbor.exec(t, `delete from artifact_blob where digest_af = $1`, p.Digest)
		w.harbor.exec(t, `delete from artifact_trash where repository_name = $1 and digest = $2`, repository, p.Digest)
		w.reg.Remove(t, w.reg.Key(registry.BlobPath(digest(t, p.Layers[1].Digest))))
		w.reg.Remove(t, w.reg.Key(registry.BlobPath(digest(t, p.Digest))))
	}
}

// TestTheWayOutLeadsOut does what a finding says to do, and scans again.
func TestTheWayOutLeadsOut(t *testing.T) {
	byDigest := func(p registrytest.Pushed) string { return "/v2/" + p.Repository + "/manifests/" + p.Digest }
	link := func(t *testing.T, w *world, s subject, f orphans.Finding) {
		w.reg.Put(t, f.Keys[0], []byte(f.Digest))
	}
	again := func(t *testing.T, w *world, s subject, f orphans.Finding) { one(t, w, s.repository) }
	aside := func(t *testing.T, w *world, s subject, f orphans.Finding) {
		w.reg.Remove(t, f.Keys[0])
		one(t, w, s.repository)
	}
	pushAndDelete := func(t *testing.T, w *world, s subject, f orphans.Finding) {
		p := w.reg.Push(t, s.repository, registrytest.Image{Tags: []string{"v1"}, Layers: []string{"any image"}})
		w.reg.Delete(t, p)
	}
	for _, test := range []struct {
		mutation string
		follow   func(*testing.T, *world, subject, orphans.Finding)
		gone     bool // the tag is to be gone afterwards, else to be pulled
	}{
		{"t1-current-missing", again, false},
		{"t1-current-missing", pushAndDelete, true},
		{"t2-empty", again, false},
		{"t2-nuls", pushAndDelete, true},
		{"t3-dangling", again, false},
		{"t3-dangling", pushAndDelete, true},
		{"t3-dangling", func(t *testing.T, w *world, s subject, f orphans.Finding) {
			w.reg.Put(t, f.Keys[1], []byte(f.Digest))
		}, false},
		{"r2-empty", link, false},
		{"m1-missing", again, false},
		{"m1-missing", func(t *testing.T, w *world, s subject, f orphans.Finding) {
			pushAndDelete(t, w, s, f)
			w.reg.Remove(t, f.Keys[1])
		}, true},
		{"m2-empty", aside, false},
		{"m3-other-size", aside, false},
		{"b1-config", again, false},
		{"b2-layer", again, false},
		{"b3-short", aside, false},
		{"b5-link-missing", link, false},
		{"b5-link-missing", again, false},
		{"b7-empty", link, false},
	} {
		t.Run(test.mutation, func(t *testing.T) {
			w := newWorld(t, registrytest.Filesystem, nil)
			var m mutation
			for _, m = range mutations {
				if m.name == test.mutation {
					break
				}
			}
			s := m.begin(t, w)
			m.damage(t, w, s)
			r := w.scan(t, nil)
			expect(t, r, m.wants(m.plain)...)
			if len(r.Findings) != 1 {
				t.FailNow()
			}
			test.follow(t, w, s, r.Findings[0])
			expect(t, w.scan(t, nil))
			want := http.StatusOK
			if test.gone {
				want = http.StatusNotFound
			}
			if status := w.reg.Status(t, http.MethodGet, "/v2/"+s.repository+"/manifests/v1"); status != want {
				t.Errorf("the tag: status %d, want %d", status, want)
			}
			if !test.gone {
				if status := w.reg.Status(t, http.MethodGet, byDigest(s.image)); status != http.StatusOK {
					t.Errorf("the manifest: status %d", status)
				}
				if status := w.reg.Status(t, http.MethodGet, "/v2/"+s.repository+"/blobs/"+s.own().Digest); status != http.StatusOK {
					t.Errorf("the layer: status %d", status)
				}
			}
		})
	}
}
