package orphans

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/harbordb/harbordb/registry"
)

// How much a report holds of one code. Beyond it things are counted only.
const (
	maxSuspects = 100_000
	maxVictims  = 1_000 // of one finding
	maxItems    = 1_000 // of waste
	maxExamples = 20
)

// suspect is something that seems wrong after one look.
type suspect struct {
	code   Code
	digest registry.Digest // of what is missing or wrong
	repo   uint32          // noRepository where several are hit
	repos  []uint32        // those that are hit, for causes that several share
	tag    string
	want   int64 // bytes that should be there
	got    int64
	proxy  bool   // hits proxy caches only
	reason string // what was seen, where the code does not say it

	manifest  bool // digest is a manifest's: its own artifacts are the victims
	artifacts []artifactRow
	count     int64  // of what stands behind one finding, where that is a number
	key       string // the name of what is wrong, where code and digest do not say it

	severity Severity // where it is not the code's
	cleared  bool     // in order at the second look

	victims     []Victim
	victimCount int64
	fromRows    bool // the victims are rows of the database
}

// suspects collects. Safe for concurrent use.
type suspects struct {
	mu    sync.Mutex
	list  []suspect
	count map[Code]int64
}

func newSuspects() *suspects { return &suspects{count: make(map[Code]int64)} }

func (c *suspects) add(s suspect) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count[s.code]++
	if c.count[s.code] <= maxSuspects {
		c.list = append(c.list, s)
	}
}

// notes counts what is normal and worth knowing. Safe for concurrent use.
type notes struct {
	mu     sync.Mutex
	byCode map[Code]*Note
}

func newNotes() *notes { return &notes{byCode: make(map[Code]*Note)} }

func (n *notes) add(code Code, example string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	note := n.byCode[code]
	if note == nil {
		note = &Note{Code: code, Name: code.Name(), Title: code.Title()}
		n.byCode[code] = note
	}
	note.Count++
	if len(note.Examples) < maxExamples {
		note.Examples = append(note.Examples, example)
	}
}

func (n *notes) report() []Note {
	out := make([]Note, 0, len(n.byCode))
	for _, note := range n.byCode {
		slices.Sort(note.Examples)
		out = append(out, *note)
	}
	slices.SortFunc(out, func(a, b Note) int { return cmp.Compare(a.Code, b.Code) })
	return out
}

// waste adds up what could be thrown away. Safe for concurrent use.
type waste struct {
	tree *registry.Tree

	mu     sync.Mutex
	byCode map[Code]*Waste
}

func newWaste(tree *registry.Tree) *waste {
	return &waste{tree: tree, byCode: make(map[Code]*Waste)}
}

func (w *waste) add(code Code, item WasteItem) {
	w.mu.Lock()
	defer w.mu.Unlock()
	sum := w.byCode[code]
	if sum == nil {
		sum = &Waste{Code: code, Name: code.Name(), Title: code.Title()}
		w.byCode[code] = sum
	}
	sum.Count++
	sum.Bytes += item.Bytes
	sum.Items = append(sum.Items, item)
	if len(sum.Items) >= 2*maxItems {
		sum.keepLargest()
	}
}

// object adds an object of the tree.
func (w *waste) object(code Code, o registry.Object, detail string) {
	since := o.ModTime
	w.add(code, WasteItem{Key: w.tree.Key(o.Key), Bytes: o.Size, Since: &since, Detail: detail})
}

// folder adds an empty folder.
func (w *waste) folder(o registry.Object) { w.object(EmptyFolders, o, "") }

func (w *Waste) keepLargest() {
	slices.SortFunc(w.Items, func(a, b WasteItem) int {
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(a.Key, b.Key))
	})
	w.Items = w.Items[:min(len(w.Items), maxItems)]
}

func (w *waste) report() []Waste {
	out := make([]Waste, 0, len(w.byCode))
	for _, sum := range w.byCode {
		sum.keepLargest()
		out = append(out, *sum)
	}
	slices.SortFunc(out, func(a, b Waste) int { return cmp.Compare(a.Code, b.Code) })
	return out
}

// age is how old something is by the clock of whoever started the scan. A
// store's clock may differ; what looks old for that reason alone is looked at
// again before it is reported.
func (s *scan) age(t time.Time) time.Duration { return s.opts.Now.Sub(t) }
