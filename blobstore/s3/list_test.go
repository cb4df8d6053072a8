package s3_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/harbordb/harbordb/blobstore"
	"github.com/harbordb/harbordb/internal/fault"
	"github.com/harbordb/harbordb/internal/registrytest"
)

// scripted starts a server whose lists come from answer.
func scripted(t *testing.T, answer func(url.Values) string) string {
	t.Helper()
	return registrytest.Between(t, "http://127.0.0.1:1", func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		fmt.Fprint(w, answer(r.URL.Query()))
	})
}

// entry is one object of a list.
func entry(key string) string {
	return "<Contents><Key>" + key + "</Key><LastModified>2026-11-21T10:00:00.000Z</LastModified><ETag>&quot;0cc175b9c0f1b6a831c399e269772661&quot;</ETag><Size>1</Size><Owner><ID>x</ID></Owner></Contents>"
}

func list(fields string, keys ...string) string {
	text := `<?xml version="1.0" encoding="UTF-8"?>` + "\n" + `<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>harbor</Name>` + fields
	for _, key := range keys {
		text += entry(key)
	}
	return text + "</ListBucketResult>"
}

const (
	more = "<IsTruncated>true</IsTruncated>"
	last = "<IsTruncated>false</IsTruncated>"
)

// TestListsOfManyServers: what servers leave out or do in their own way.
func TestListsOfManyServers(t *testing.T) {
	for name, c := range map[string]struct {
		answer func(url.Values) string
		want   []string
	}{
		"names with blanks as plus": {func(url.Values) string {
			return list(last+"<EncodingType>url</EncodingType>", "a+b", "a%2Bb", "a%2Fc")
		}, []string{"a b", "a+b", "a/c"}},
		"names with blanks as %20": {func(url.Values) string {
			return list(last+"<EncodingType>url</EncodingType>", "a%20b", "d/e")
		}, []string{"a b", "d/e"}},
		"names as they are, the encoding that was asked for ignored": {func(url.Values) string {
			return list(last, "a b", "a%20b", "a+b")
		}, []string{"a b", "a%20b", "a+b"}},
		"pages without KeyCount": {func(q url.Values) string {
			if q.Get("start-after") == "" {
				return list(more+"<NextContinuationToken>t</NextContinuationToken>", "a", "b")
			}
			return list(last, "c")
		}, []string{"a", "b", "c"}},
		"truncated without a token": {func(q url.Values) string {
			if q.Get("start-after") == "b" {
				return list(last, "c")
			}
			return list(more, "a", "b")
		}, []string{"a", "b", "c"}},
		"a token without IsTruncated": {func(q url.Values) string {
			if q.Get("start-after") == "a" {
				return list(last, "b")
			}
			return list("<NextContinuationToken>a</NextContinuationToken>", "a")
		}, []string{"a", "b"}},
		"a page without keys and more behind it": {func(q url.Values) string {
			if q.Get("continuation-token") == "t" {
				return list(last, "a")
			}
			return list(more + "<NextContinuationToken>t</NextContinuationToken>")
		}, []string{"a"}},
		"a server that only knows the old way, and answers in it": {func(q url.Values) string {
			switch q.Get("marker") {
			case "b":
				return list(last+"<Marker>b</Marker>", "c")
			default:
				return list(more+"<Marker></Marker><NextMarker>b</NextMarker>", "a", "b")
			}
		}, []string{"a", "b", "c"}},
		"an empty bucket": {func(url.Values) string { return list(last) }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, config(scripted(t, c.answer)))
			got, err := listKeys(t, s, blobstore.Range{})
			if err != nil || !slices.Equal(got, c.want) {
				t.Errorf("listed %q, want %q, error %v", got, c.want, err)
			}
		})
	}
}

// TestListsThatCannotBeTrusted: an error, never a shorter list.
func TestListsThatCannotBeTrusted(t *testing.T) {
	for name, c := range map[string]struct {
		answer func(url.Values) string
		says   string
	}{
		"the same page for ever":        {func(url.Values) string { return list(more, "a", "b") }, "does not get on"},
		"no keys and more for ever":     {func(url.Values) string { return list(more) }, "does not get on"},
		"the same token for ever":       {func(url.Values) string { return list(more + "<NextContinuationToken>t</NextContinuationToken>") }, "does not get on"},
		"keys out of order":             {func(url.Values) string { return list(last, "b", "a") }, "order"},
		"a key twice":                   {func(url.Values) string { return list(last, "a", "a") }, "order"},
		"no word whether there is more": {func(url.Values) string { return list("", "a") }, "whether there is more"},
		"half an answer":                {func(url.Values) string { return list(last, "a")[:200] }, "list"},
		"something else":                {func(url.Values) string { return "<html>Welcome</html>" }, "list"},
		"nothing":                       {func(url.Values) string { return "" }, "list"},
		"a name that is wrongly escaped": {func(url.Values) string {
			return list(last+"<EncodingType>url</EncodingType>", "a%zz")
		}, "a%zz"},
		"an object without a size": {func(url.Values) string {
			return strings.Replace(list(last, "a"), "<Size>1</Size>", "", 1)
		}, "size"},
		"an object without a time": {func(url.Values) string {
			return strings.Replace(list(last, "a"), "2026-11-21T10:00:00.000Z", "", 1)
		}, "time"},
	} {
		t.Run(name, func(t *testing.T) {
			address := scripted(t, c.answer)
			_, err := listKeys(t, open(t, config(address)), blobstore.Range{})
			for _, part := range []string{c.says, bucket, address} {
				if err == nil || !strings.Contains(err.Error(), part) {
					t.Errorf("error %v does not say %q", err, part)
				}
			}
		})
	}
	console := scripted(t, func(url.Values) string { return "<!doctype html><html>Welcome</html>" })
	if _, err := listKeys(t, open(t, config(console)), blobstore.Range{}); !strings.Contains(fault.HintOf(err), "S3 API") {
		t.Errorf("hint %q", fault.HintOf(err))
	}
	outside := scripted(t, func(url.Values) string { return list(last, "elsewhere/x") })
	c := config(outside)
	c.Prefix = "here"
	if _, err := listKeys(t, open(t, c), blobstore.Range{}); err == nil || !strings.Contains(err.Error(), "elsewhere/x") {
		t.Errorf("a key from outside of the folder: %v", err)
	}
}

func TestTheOldListWhereTheNewOneIsRefused(t *testing.T) {
	for _, refusal := range []struct {
		status int
		code   string
	}{{http.StatusNotImplemented, "NotImplemented"}, {http.StatusBadRequest, "InvalidArgument"}, {http.StatusMethodNotAllowed, "MethodNotAllowed"}} {
		refused := 0
		c := config(registrytest.Between(t, fake(t).URL, func(w http.ResponseWriter, r *http.Request, forward http.Handler) {
			if r.URL.Query().Get("list-type") != "" {
				refused++
				refuse(w, refusal.status, refusal.code)
				return
			}
			forward.ServeHTTP(w, r)
		}))
		c.PageSize = 2
		s := open(t, c)
		want := []string{"a", "b/c", "d", "e", "f"}
		for _, key := range want {
			if err := write(t, s, key, blobstore.Replace, data(1)); err != nil {
				t.Fatal(err)
			}
		}
		got, err := listKeys(t, s, blobstore.Range{})
		if err != nil || !slices.Equal(got, want) || refused != 1 {
			t.Errorf("%s: listed %q, refused %d times, error %v", refusal.code, got, refused, err)
		}
	}
}

func TestUploadsOverPages(t *testing.T) {
	page := func(fields string, uploads ...string) string {
		text := "<ListMultipartUploadsResult>" + fields
		for _, u := range uploads {
			key, id, _ := strings.Cut(u, " ")
			text += "<Upload><Key>" + key + "</Key><UploadId>" + id + "</UploadId><Initiated>2026-11-21T10:00:00Z</Initiated></Upload>"
		}
		return text + "</ListMultipartUploadsResult>"
	}
	uploads := func(answer func(url.Values) string) (got []string, err error) {
		s := open(t, config(scripted(t, answer)))
		err = s.Uploads(t.Context(), "", func(u blobstore.Upload) error {
			got = append(got, u.Key+" "+u.ID)
			return nil
		})
		return got, err
	}
	got, err := uploads(func(q url.Values) string {
		if q.Has("encoding-type") {
			t.Error("asks for escaped names, which Ceph sends without saying so")
		}
		switch q.Get("key-marker") + " " + q.Get("upload-id-marker") {
		case " ":
			return page(more+"<NextKeyMarker>a</NextKeyMarker><NextUploadIdMarker>2</NextUploadIdMarker>", "a 1", "a 2")
		case "a 2":
			return page(more, "a 3") // and no markers
		default:
			return page(last+"<EncodingType>url</EncodingType>", "b%20c 4")
		}
	})
	if want := []string{"a 1", "a 2", "a 3", "b c 4"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("uploads %q, want %q, error %v", got, want, err)
	}
	if _, err := uploads(func(url.Values) string { return page(more, "a 1") }); err == nil {
		t.Error("the same page for ever is no error")
	}
	stop := errors.New("enough")
	s := open(t, config(scripted(t, func(url.Values) string { return page(last, "a 1") })))
	if err := s.Uploads(t.Context(), "", func(blobstore.Upload) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("error of the callback: %v", err)
	}
	s = open(t, config(registrytest.Between(t, "http://127.0.0.1:1", func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		refuse(w, http.StatusNotImplemented, "NotImplemented")
	})))
	if err := s.Uploads(t.Context(), "", func(blobstore.Upload) error { return stop }); err != nil {
		t.Errorf("a server without such a list: %v", err)
	}
}
