package orphans

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/harbordb/harbordb/registry"
)

// errStop ends a listing whose caller has what it wanted.
var errStop = errors.New("stop")

// sinkError is an error of what takes the listed objects, not of the listing.
type sinkError struct{ err error }

func (e *sinkError) Error() string { return e.err.Error() }
func (e *sinkError) Unwrap() error { return e.err }

// Tries of a listing that fails without having said anything new, and the
// first pause between them. The stores repeat single requests on their own;
// this is for what outlasts that.
const (
	listTries = 3
	listPause = 500 * time.Millisecond
)

// listRange calls each for every object in a range. What cannot be read
// becomes a gap and is no error: an error is that of each, or that ctx has
// ended. each may return errStop.
func (s *scan) listRange(ctx context.Context, in registry.Range, each func(registry.Object) error) error {
	failed := 0
	for {
		err := s.tree.List(ctx, in, func(o registry.Object) error {
			in.After, failed = o.Key, 0
			if err := each(o); err != nil {
				return &sinkError{err}
			}
			return nil
		})
		var sink *sinkError
		var part *registry.Unreadable
		switch {
		case err == nil:
			return nil
		case errors.As(err, &sink):
			if errors.Is(sink.err, errStop) {
				return nil
			}
			return sink.err
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.As(err, &part):
			s.gaps.add(registry.Range{Prefix: part.Prefix}, part.Err)
			if next := behind(part.Prefix); next > in.After {
				in.After = next
				continue
			}
		}
		if failed++; failed == listTries || errors.Is(err, registry.ErrDenied) {
			s.gaps.add(in, err)
			return nil
		}
		if err := s.wait(ctx, listPause<<failed); err != nil {
			return err
		}
	}
}

// behind returns a bound above everything with the prefix, which is a folder
// or a key.
func behind(prefix string) string {
	if folder, ok := strings.CutSuffix(prefix, "/"); ok {
		return folder + "0" // "0" follows "/"
	}
	return prefix
}

// wait pauses, unless ctx ends first.
func (s *scan) wait(ctx context.Context, pause time.Duration) error {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// sink takes the objects of one span, in order. end is called after the last.
type sink interface {
	object(registry.Object) error
	end() error
}

// spans lists everything below a prefix, whose keys nobody knows, in ranges
// side by side: it starts with one, and a range that turns out to be long
// gives half of what is left to a worker that has none.
type spans struct {
	scan   *scan
	prefix string
	open   func() sink

	hungry atomic.Int32 // workers without a span

	mu     sync.Mutex
	more   *sync.Cond
	queue  []registry.Range
	active int
	failed error
}

// listSpans runs until all is listed. open makes a sink for each span.
func (s *scan) listSpans(ctx context.Context, prefix string, open func() sink) error {
	p := &spans{scan: s, prefix: prefix, open: open}
	p.more = sync.NewCond(&p.mu)
	p.queue = []registry.Range{{Prefix: prefix}}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var workers sync.WaitGroup
	for range s.opts.Lists {
		workers.Go(func() { p.work(ctx, cancel) })
	}
	workers.Wait()
	return p.failed
}

func (p *spans) work(ctx context.Context, cancel func()) {
	for {
		in, ok := p.take()
		if !ok {
			return
		}
		err := p.list(ctx, in)
		p.mu.Lock()
		p.active--
		if err != nil && p.failed == nil {
			p.failed = err
			cancel()
		}
		p.mu.Unlock()
		p.more.Broadcast()
	}
}

// take returns a span, or false when none will come.
func (p *spans) take() (registry.Range, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hungry.Add(1)
	defer p.hungry.Add(-1)
	for len(p.queue) == 0 && p.active > 0 && p.failed == nil {
		p.more.Wait()
	}
	if len(p.queue) == 0 || p.failed != nil {
		return registry.Range{}, false
	}
	in := p.queue[0]
	p.queue = p.queue[1:]
	p.active++
	return in, true
}

func (p *spans) give(in registry.Range) {
	p.mu.Lock()
	p.queue = append(p.queue, in)
	p.mu.Unlock()
	p.more.Signal()
}

// list lists one span, and gives parts of it away on the way. A bound at which
// two spans meet belongs to the lower one.
func (p *spans) list(ctx context.Context, in registry.Range) error {
	out := p.open()
	bound := strings.TrimSuffix(in.Before, "\x00")
	keys, splits := 0, 0
	err := p.scan.listRange(ctx, in, func(o registry.Object) error {
		if bound != "" && o.Key > bound {
			return errStop
		}
		keys++
		if keys >= p.scan.opts.Split && p.hungry.Load() > 0 {
			splits++
			if middle, ok := between(o.Key, bound, p.prefix, splits); ok {
				p.give(registry.Range{Prefix: p.prefix, After: middle, Before: through(bound)})
				bound = middle
			}
			keys = 0
		}
		return out.object(o)
	})
	if err != nil {
		return err
	}
	if err := out.end(); err != nil {
		return fmt.Errorf("list %s: %w", p.prefix, err)
	}
	return nil
}

// through returns the exclusive bound above an inclusive one.
func through(bound string) string {
	if bound == "" {
		return ""
	}
	return bound + "\x00"
}

// between returns a bound above key and below bound ("" is the end of
// everything with prefix) that parts no folder of a tag or an upload. Nobody
// knows how the keys are spread, so the attempts take turns: halfway in what
// is left altogether, in the rest of the project, of the repository, of the
// folder of digests or tags.
func between(key, bound, prefix string, attempt int) (string, bool) {
	limit := bound
	if limit == "" {
		limit = behind(prefix)
	}
	ends := folderEnds(key, len(prefix))
	if level := attempt % (len(ends) + 1); level > 0 {
		limit = min(limit, behind(key[:ends[level-1]]))
	}
	middle := halfway(key, limit)
	middle = middle[:groupEnd(middle)]
	if middle <= key || middle >= limit || strings.HasPrefix(key, middle) {
		return "", false
	}
	return middle, true
}

// folderEnds returns the ends of the folders of key below from, without the
// last two, which hold one file each.
func folderEnds(key string, from int) []int {
	var ends []int
	for i := from; i < len(key); i++ {
		if key[i] == '/' {
			ends = append(ends, i+1)
		}
	}
	if len(ends) < 2 {
		return nil
	}
	return ends[:len(ends)-1]
}

// groupEnd returns how much of a bound may be kept so that the names of one
// tag or one upload stay on one side.
func groupEnd(bound string) int {
	for _, part := range []string{"/_manifests/tags/", "/_uploads/"} {
		if at := strings.Index(bound, part); at >= 0 {
			end := at + len(part)
			if slash := strings.IndexByte(bound[end:], '/'); slash >= 0 {
				return end + slash
			}
		}
	}
	return len(bound)
}

// halfway returns a text about halfway between two, byte by byte.
func halfway(low, high string) string {
	i := 0
	for i < len(low) && i < len(high) && low[i] == high[i] {
		i++
	}
	top := 0x7f
	if i < len(high) {
		top = int(high[i])
	}
	for ; i < len(low); i++ {
		if middle := (int(low[i]) + top) / 2; middle > int(low[i]) {
			return low[:i] + string(rune(middle))
		}
		top = 0x7f
	}
	return low
}
