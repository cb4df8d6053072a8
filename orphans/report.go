package orphans

import (
	"time"
)

// Report is what a scan has found. The slices are sorted: findings worst and
// most victims first, the rest by code.
type Report struct {
	Storage  string    `json:"storage"`  // the store and the root in it, without credentials
	Root     string    `json:"root"`     // prefix of every key
	Database string    `json:"database"` // what the database is to the scan; empty without one
	Time     time.Time `json:"time"`     // when the scan began
	Depth    Depth     `json:"depth"`
	Scope    string    `json:"scope"` // the project or repository; empty for everything

	// Complete is false where something could not be read: then findings
	// may be missing, and Gaps say where.
	Complete bool  `json:"complete"`
	Gaps     []Gap `json:"gaps"`
	// Implausible says why the result cannot be true; there are no findings
	// then, unless they were asked for anyway.
	Implausible string `json:"implausible"`
	// CacheError says why the cache was not used; the result is whole.
	CacheError string `json:"cache_error"`

	Stats    Stats     `json:"stats"`
	Summary  []Summary `json:"summary"`  // by code, findings and notes alike
	Findings []Finding `json:"findings"` // severity warning and up
	Notes    []Note    `json:"notes"`    // severity info, in storage order
	Waste    []Waste   `json:"waste"`
	// Truncated says that there were more findings of some code than a
	// report holds; Summary has their number.
	Truncated bool `json:"truncated"`
}

// Found reports whether the scan found what it looks for; waste and notes
// alone are not that.
func (r *Report) Found() bool { return len(r.Findings) > 0 }

// Gap is a part of storage of which nothing is known.
type Gap struct {
	After  string `json:"after"`  // exclusive; empty from the beginning
	Before string `json:"before"` // exclusive; empty to the end
	Prefix string `json:"prefix"` // of all names in the gap
	Error  string `json:"error"`
}

// Stats count what was read.
type Stats struct {
	Keys          int64 `json:"keys"` // listed
	Repositories  int64 `json:"repositories"`
	Tags          int64 `json:"tags"` // in storage
	Revisions     int64 `json:"revisions"`
	LayerLinks    int64 `json:"layer_links"`
	Manifests     int64 `json:"manifests"`  // unique, with their references known
	Blobs         int64 `json:"blobs"`      // objects below blobs/
	BlobBytes     int64 `json:"blob_bytes"` // as listed
	Artifacts     int64 `json:"artifacts"`  // rows of the database
	ManifestReads int64 `json:"manifest_reads"`
	CacheHits     int64 `json:"cache_hits"`
	LinksProved   int64 `json:"links_proved"`  // by the MD5 in the listing
	LinksAssumed  int64 `json:"links_assumed"` // by their size alone
	LinksRead     int64 `json:"links_read"`
	SizesUnknown  int64 `json:"sizes_unknown"` // blobs that a listing shows with 0 bytes and that were not asked for
	HashedBlobs   int64 `json:"hashed_blobs"`
	HashedBytes   int64 `json:"hashed_bytes"`
	Suspects      int64 `json:"suspects"` // looked at again
	Cleared       int64 `json:"cleared"`  // of those, what was in order then
}

// Summary is how often a code occurred.
type Summary struct {
	Code     Code     `json:"code"`
	Name     string   `json:"name"`
	Severity Severity `json:"severity"` // the worst
	Count    int64    `json:"count"`    // root causes
	Victims  int64    `json:"victims"`  // artifacts and tags that suffer
}

// Finding is one root cause with everything that suffers from it.
type Finding struct {
	Code     Code     `json:"code"`
	Name     string   `json:"name"`
	Severity Severity `json:"severity"`
	// Project and Repository are empty where one cause hits several.
	Project    string   `json:"project"`
	Repository string   `json:"repository"`
	Tag        string   `json:"tag"`    // of tag findings
	Digest     string   `json:"digest"` // of what is missing or wrong
	Detail     string   `json:"detail"` // what was seen and what should be there
	Keys       []string `json:"keys"`   // the evidence: full keys in the store
	Victims    []Victim `json:"victims"`
	// VictimCount may be larger than the list.
	VictimCount int64    `json:"victim_count"`
	WayOut      []string `json:"way_out"`
}

// Victim is an artifact that cannot be used because of a finding.
type Victim struct {
	Project    string     `json:"project"`
	Repository string     `json:"repository"` // without the project
	Digest     string     `json:"digest"`
	Tags       []string   `json:"tags"`
	PullTime   *time.Time `json:"pull_time"` // null where nobody knows, or never pulled
}

// Note is something normal that is worth knowing: how often, with examples.
type Note struct {
	Code     Code     `json:"code"`
	Name     string   `json:"name"`
	Title    string   `json:"title"`
	Count    int64    `json:"count"`
	Examples []string `json:"examples"`
}

// Waste is storage that serves nobody.
type Waste struct {
	Code  Code   `json:"code"`
	Name  string `json:"name"`
	Title string `json:"title"`
	Count int64  `json:"count"`
	Bytes int64  `json:"bytes"`
	// Items are the largest ones, at most a thousand.
	Items []WasteItem `json:"items"`
}

// WasteItem is one piece of waste.
type WasteItem struct {
	Key        string     `json:"key"`
	Repository string     `json:"repository"`
	Bytes      int64      `json:"bytes"`
	Since      *time.Time `json:"since"` // last written
	Detail     string     `json:"detail"`
}
