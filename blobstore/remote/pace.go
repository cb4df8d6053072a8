package remote

import (
	"context"
	"sync"
)

// pace lets a number of requests run at once: half as many after each one that
// the server found too much, and one more after each full round without that.
type pace struct {
	most float64

	mu      sync.Mutex
	limit   float64
	running int
	changed chan struct{} // closed, and made anew, when a request ends
}

func newPace(most int) *pace {
	return &pace{most: float64(most), limit: float64(most), changed: make(chan struct{})}
}

func (p *pace) enter(ctx context.Context) error {
	for {
		p.mu.Lock()
		if err := ctx.Err(); err != nil {
			p.mu.Unlock()
			return context.Cause(ctx)
		}
		if float64(p.running) < p.limit {
			p.running++
			p.mu.Unlock()
			return nil
		}
		changed := p.changed
		p.mu.Unlock()
		select {
		case <-ctx.Done():
		case <-changed:
		}
	}
}

func (p *pace) leave(tooMuch bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running--
	if tooMuch {
		p.limit = max(1, p.limit/2)
	} else {
		p.limit = min(p.most, p.limit+1/p.limit)
	}
	close(p.changed)
	p.changed = make(chan struct{})
}
