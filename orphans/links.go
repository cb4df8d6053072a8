package orphans

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/harbordb/harbordb/registry"
)

// sums is how far the listing's MD5s can be believed. Some stores return
// something of the same length that is no MD5 of the content (encrypted
// buckets do). An MD5 that agrees is proof; one that does not is none, and the
// link is read. When reading finds such links right again and again, the MD5s
// are no longer asked.
type sums struct {
	rights, wrongs atomic.Int64
}

// calibration is how many wrong sums are met before they are given up.
const calibration = 16

func (c *sums) right() { c.rights.Add(1) }
func (c *sums) wrong() { c.wrongs.Add(1) }

func (c *sums) trusted() bool {
	wrongs := c.wrongs.Load()
	return wrongs < calibration || wrongs < c.rights.Load()
}

// readLink reads a link. linkNone means that it is gone, or that it cannot be
// read, which is a gap. A link with a digest is linkProved, whatever its path
// says.
func (s *scan) readLink(ctx context.Context, name string) (registry.Digest, linkState, error) {
	s.count.linksRead.Add(1)
	content, err := s.tree.Read(ctx, name, registry.MaxLink)
	switch {
	case errors.Is(err, registry.ErrNotFound):
		return registry.Digest{}, linkNone, nil
	case ctx.Err() != nil:
		return registry.Digest{}, linkNone, ctx.Err()
	case err != nil:
		s.gaps.add(registry.Range{Prefix: name}, err)
		return registry.Digest{}, linkNone, nil
	}
	d, err := registry.ParseLink(content)
	switch {
	case errors.Is(err, registry.ErrLinkEmpty):
		return d, linkEmpty, nil
	case err != nil:
		return d, linkMalformed, nil
	}
	return d, linkProved, nil
}
