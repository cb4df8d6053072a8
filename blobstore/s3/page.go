package s3

import (
	"encoding/xml"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/harbordb/harbordb/blobstore"
)

// page is one page of a listing, with whole keys.
type page struct {
	objects   []blobstore.Object
	truncated bool
	token     string // where the server would go on
}

// rawPage is a page as the server has written it. What gateways leave out
// (KeyCount, Marker, Owner) is not in it.
type rawPage struct {
	XMLName               xml.Name `xml:"ListBucketResult"`
	EncodingType          string
	IsTruncated           string
	NextContinuationToken string
	NextMarker            string
	Contents              []rawObject
}

type rawObject struct{ Key, LastModified, ETag, Size string }

// errNoList: the server speaks, but not S3.
var errNoList = errors.New("the server's answer is no list of S3")

// parsePage reads a page of either version.
func parsePage(body []byte) (p page, err error) {
	raw, ok := scanPage(string(body))
	if !ok {
		raw = rawPage{}
		if err := xml.Unmarshal(body, &raw); err != nil {
			return p, fmt.Errorf("%w: %w", errNoList, err)
		}
	}
	decode := decoder(raw.EncodingType)
	p.objects = make([]blobstore.Object, len(raw.Contents))
	for i, c := range raw.Contents {
		if p.objects[i], err = c.object(decode); err != nil {
			return p, err
		}
	}
	p.token = raw.NextContinuationToken
	if p.token == "" {
		if p.token, err = decode(raw.NextMarker); err != nil {
			return p, err
		}
	}
	p.truncated, err = isTruncated(raw.IsTruncated, p.token)
	return p, err
}

func (r rawObject) object(decode func(string) (string, error)) (o blobstore.Object, err error) {
	o.MD5 = md5Of(r.ETag)
	if o.Key, err = decode(r.Key); err != nil {
		return o, err
	}
	o.Key = strings.Clone(o.Key) // it must not keep the whole page in memory
	if o.Size, err = strconv.ParseInt(strings.TrimSpace(r.Size), 10, 64); err != nil {
		return o, fmt.Errorf("size of %q: %w", o.Key, err)
	}
	if o.ModTime, err = parseTime(r.LastModified); err != nil {
		return o, fmt.Errorf("time of %q: %w", o.Key, err)
	}
	return o, nil
}

// isTruncated reads IsTruncated. Where it is missing, a token says that there
// is more; and without either the server has not said that this is all.
func isTruncated(told, token string) (bool, error) {
	switch strings.ToLower(strings.TrimSpace(told)) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	case "":
		if token != "" {
			return true, nil
		}
	}
	return false, errors.New("read the server's list: it does not say whether there is more")
}

// decoder returns how names are written in an answer. A server that does not
// repeat the encoding that was asked for has not applied it.
func decoder(encoding string) func(string) (string, error) {
	if !strings.EqualFold(strings.TrimSpace(encoding), "url") {
		return func(s string) (string, error) { return s, nil }
	}
	return func(s string) (string, error) {
		if !strings.ContainsAny(s, "%+") {
			return s, nil
		}
		name, err := url.QueryUnescape(s) // blanks may come as + or as %20
		if err != nil {
			return "", fmt.Errorf("read the server's list: name %q: %w", s, err)
		}
		return name, nil
	}
}

func parseTime(text string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, strings.TrimSpace(text))
	return t.UTC(), err
}

// uploadsPage is one page of a list of multipart uploads, with whole keys.
type uploadsPage struct {
	uploads         []blobstore.Upload
	truncated       bool
	nextKey, nextID string
}

func parseUploads(body []byte) (p uploadsPage, err error) {
	var told struct {
		XMLName            xml.Name `xml:"ListMultipartUploadsResult"`
		EncodingType       string
		IsTruncated        string
		NextKeyMarker      string
		NextUploadIDMarker string `xml:"NextUploadIdMarker"`
		Upload             []struct {
			Key       string
			UploadID  string `xml:"UploadId"`
			Initiated string
		}
	}
	if err := xml.Unmarshal(body, &told); err != nil {
		return p, fmt.Errorf("read the server's list: %w", err)
	}
	decode := decoder(told.EncodingType)
	for _, t := range told.Upload {
		u := blobstore.Upload{ID: t.UploadID, Size: -1}
		if u.Key, err = decode(t.Key); err != nil {
			return p, err
		}
		if u.Started, err = parseTime(t.Initiated); err != nil {
			return p, fmt.Errorf("start of the upload of %q: %w", u.Key, err)
		}
		p.uploads = append(p.uploads, u)
		p.nextKey, p.nextID = u.Key, u.ID // unless the server says better
	}
	if told.NextKeyMarker != "" {
		if p.nextKey, err = decode(told.NextKeyMarker); err != nil {
			return p, err
		}
		p.nextID = told.NextUploadIDMarker
	}
	p.truncated = strings.EqualFold(strings.TrimSpace(told.IsTruncated), "true")
	return p, nil
}
