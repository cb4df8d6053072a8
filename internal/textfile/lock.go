package textfile

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// lockPause is how long a run waits before it looks at a lock again. The lock
// is held for as long as a small file takes to be written.
const lockPause = 10 * time.Millisecond

// lock keeps other runs out of a folder of metrics until unlock, or until the
// process ends. It locks the folder itself, so that nothing is left in it.
func lock(ctx context.Context, dir string) (unlock func(), err error) {
	folder, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	tick := time.NewTicker(lockPause)
	defer tick.Stop()
	for {
		err := unix.Flock(int(folder.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return func() { folder.Close() }, nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) {
			return nil, errors.Join(fmt.Errorf("lock %s: %w", dir, err), folder.Close())
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("lock %s, which another process holds: %w", dir, ctx.Err()), folder.Close())
		case <-tick.C:
		}
	}
}
