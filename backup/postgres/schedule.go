package postgres

import (
	"context"
	"sync"
)

// schedule hands tasks to workers. Tasks made ready by others go first: an
// index build of a table whose last part has just landed is the longest work
// left, and its table is still in the cache.
type schedule struct {
	mu      sync.Mutex
	changed *sync.Cond
	ready   []task // in the order in which they became ready
	queue   []task // from the start, largest first
	running int
	err     error
}

// task is one step of a load, run on a worker's connection. alone tells it
// that fewer tasks are left than there are workers.
type task func(ctx context.Context, w *loadWorker, alone bool) error

func newSchedule() *schedule {
	s := &schedule{}
	s.changed = sync.NewCond(&s.mu)
	return s
}

// add makes a task ready. It is called by tasks.
func (s *schedule) add(tasks ...task) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ready = append(s.ready, tasks...)
	s.changed.Broadcast()
}

// next returns a task, or false when all are done or one has failed. It waits
// while running tasks may still add others.
func (s *schedule) next(workers int) (t task, alone, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.err == nil && len(s.ready) == 0 && len(s.queue) == 0 && s.running > 0 {
		s.changed.Wait()
	}
	list := &s.ready
	if len(s.ready) == 0 {
		list = &s.queue
	}
	if s.err != nil || len(*list) == 0 {
		return nil, false, false
	}
	t, *list = (*list)[0], (*list)[1:]
	s.running++
	return t, len(s.ready)+len(s.queue)+s.running < workers, true
}

func (s *schedule) done(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running--
	if s.err == nil {
		s.err = err
	}
	s.changed.Broadcast()
}

// run works until nothing is left and returns the first error.
func (s *schedule) run(ctx context.Context, workers []*loadWorker) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var group sync.WaitGroup
	for _, w := range workers {
		group.Go(func() {
			for {
				t, alone, ok := s.next(len(workers))
				if !ok {
					return
				}
				err := ctx.Err()
				if err == nil {
					err = t(ctx, w, alone)
				}
				if err != nil {
					cancel()
				}
				s.done(err)
			}
		})
	}
	group.Wait()
	return s.err
}
