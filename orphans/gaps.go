package orphans

import (
	"slices"
	"strings"
	"sync"

	"github.com/harbordb/harbordb/registry"
)

// gaps are the parts of the tree that could not be read. Nothing may be
// concluded from what is not there. Safe for concurrent use.
type gaps struct {
	mu   sync.Mutex
	list []gap
	// unverified counts suspects that could not be looked at again.
	unverified int64
}

type gap struct {
	in  registry.Range
	err error
}

// maxGaps bounds what a report lists; a gap that does not fit becomes one that
// covers everything.
const maxGaps = 1000

func (g *gaps) add(in registry.Range, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case len(g.list) < maxGaps:
		g.list = append(g.list, gap{in, err})
	case len(g.list) == maxGaps:
		g.list = append(g.list, gap{registry.Range{}, err})
	}
}

// addUnverified notes that a suspect was dropped because of err.
func (g *gaps) addUnverified(name string, err error) {
	g.mu.Lock()
	g.unverified++
	g.mu.Unlock()
	g.add(registry.Range{Prefix: name}, err)
}

func (g *gaps) any() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.list) > 0
}

// covers reports whether the name may exist unseen.
func (g *gaps) covers(name string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.ContainsFunc(g.list, func(x gap) bool {
		return strings.HasPrefix(name, x.in.Prefix) &&
			(x.in.After == "" || name > x.in.After) && (x.in.Before == "" || name < x.in.Before)
	})
}

// below reports whether some name with the prefix may exist unseen.
func (g *gaps) below(prefix string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.ContainsFunc(g.list, func(x gap) bool { return x.in.Overlaps(prefix) })
}

// report renders the gaps with whole keys.
func (g *gaps) report(tree *registry.Tree) []Gap {
	g.mu.Lock()
	defer g.mu.Unlock()
	out := make([]Gap, 0, len(g.list))
	for _, x := range g.list {
		r := Gap{Prefix: tree.Key(x.in.Prefix), Error: x.err.Error()}
		if x.in.After != "" {
			r.After = tree.Key(x.in.After)
		}
		if x.in.Before != "" {
			r.Before = tree.Key(x.in.Before)
		}
		out = append(out, r)
	}
	return out
}
