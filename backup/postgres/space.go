package postgres

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/harbordb/harbordb/internal/fault"
	"golang.org/x/sys/unix"
)

// leastRow is the least room that a row takes in a table: a header of 23 bytes,
// aligned to 24, and a pointer of 4 (PostgreSQL manual, "Database Page
// Layout").
const leastRow = 28

// leastRoom is what a restored database takes at the least. What it takes in
// truth depends on values, indexes and versions; nothing is refused for less.
func leastRoom(rows int64) (bytes int64) { return rows * leastRow }

// checkRoom refuses what cannot fit, and else notes in the plan what will be
// needed for all that is not loaded yet.
func (r *restore) checkRoom(ctx context.Context) error {
	var rows, text int64
	for _, d := range r.Databases {
		if !d.plan.Ready {
			rows, text = rows+d.plan.Rows, text+d.plan.Bytes
		}
	}
	if rows == 0 {
		return nil
	}
	note, err := r.server.checkRoom(ctx, rows, text)
	if note != "" {
		first := &r.Databases[0].plan
		first.Notes = append(first.Notes, note)
	}
	return err
}

// Room that nobody has to think of is not spoken of: little text, or a disk
// with many times as much free.
const (
	littleText = 64 << 20
	manyTimes  = 10
)

// checkRoom refuses where the rows alone cannot fit, and else says what they
// will need, and what there is where that can be known; nothing where there is
// plenty.
func (s *Server) checkRoom(ctx context.Context, rows, text int64) (note string, err error) {
	// Measured: narrow rows with an index on every column take three times
	// their text, wide ones little more than it.
	note = fmt.Sprintf("it takes one to three times %s on the server's disk", megabytes(text))
	free, known := s.room(ctx)
	switch {
	case !known && text < littleText, known && free/manyTimes > text:
		return "", nil
	case !known:
		return note + "; how much is free there cannot be seen from here", nil
	case free < leastRoom(rows):
		return "", fault.Refusedf("the server's disk has %s free, and the rows alone take at least %s", megabytes(free), megabytes(leastRoom(rows))).
			WithHint("make room there; harbordb restore --discard drops what an earlier restore set aside")
	}
	return note + ", which has " + megabytes(free) + " free", nil
}

func megabytes(bytes int64) string { return fmt.Sprintf("%d MB", (bytes+1<<20-1)>>20) }

// room returns how many bytes are free where the server keeps its databases,
// and whether that is known: the server runs on this machine, its folder can
// be read, and it is proved to be the server's own, which behind a forwarded
// port or in a container a folder of that name need not be.
func (s *Server) room(ctx context.Context) (bytes int64, known bool) {
	if !isHere(s.db.Settings().Host) {
		return 0, false
	}
	var folder string
	var system, started int64
	err := s.db.QueryRowContext(ctx, `SELECT pg_catalog.current_setting('data_directory'), system_identifier,
		EXTRACT(epoch FROM pg_catalog.pg_postmaster_start_time())::bigint FROM pg_catalog.pg_control_system()`).
		Scan(&folder, &system, &started)
	if err != nil || !isFolderOf(folder, system, started) {
		return 0, false
	}
	var st unix.Statfs_t
	if err := unix.Statfs(filepath.Join(folder, "base"), &st); err != nil {
		return 0, false
	}
	return int64(st.Bavail) * int64(st.Bsize), true
}

// isHere tells whether a host is a unix socket's folder or this machine's
// loopback.
func isHere(host string) bool {
	ip := net.ParseIP(host)
	return strings.HasPrefix(host, "/") || host == "localhost" || ip != nil && ip.IsLoopback()
}

// isFolderOf tells whether a folder is the one of the running server that says
// so of itself. A standby is a copy with the same identifier, but has not been
// started in the same minute.
func isFolderOf(folder string, system, started int64) bool {
	control, err := os.Open(filepath.Join(folder, "global", "pg_control"))
	if err != nil {
		return false
	}
	defer control.Close()
	var id [8]byte // the file begins with the system identifier
	if _, err := io.ReadFull(control, id[:]); err != nil || int64(binary.NativeEndian.Uint64(id[:])) != system {
		return false
	}
	lock, err := os.ReadFile(filepath.Join(folder, "postmaster.pid"))
	lines := bytes.Split(lock, []byte("\n"))
	if err != nil || len(lines) < 3 {
		return false
	}
	at, err := strconv.ParseInt(string(lines[2]), 10, 64) // when it was started
	return err == nil && at <= started && started-at <= 60
}
