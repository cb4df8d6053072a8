package remote

import (
	"context"
	"fmt"
	"net"
	"os"
	"sync/atomic"
	"time"
)

// alert dials connections that are closed when nothing moves on them for too
// long, so that a server that hangs is an error and no wait without end.
type alert struct {
	dialer  *net.Dialer
	silence time.Duration
}

func (a alert) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := a.dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &watched{Conn: conn, silence: a.silence}, nil
}

// watched closes itself while a Read or a Write hangs.
type watched struct {
	net.Conn
	silence time.Duration
	silent  atomic.Bool
}

func (w *watched) Read(p []byte) (int, error)  { return w.watch(w.Conn.Read, p) }
func (w *watched) Write(p []byte) (int, error) { return w.watch(w.Conn.Write, p) }

func (w *watched) watch(move func([]byte) (int, error), p []byte) (int, error) {
	timer := time.AfterFunc(w.silence, func() {
		w.silent.Store(true)
		_ = w.Conn.Close() // that is what ends the wait; the error is made below
	})
	defer timer.Stop()
	n, err := move(p)
	if err != nil && w.silent.Load() {
		err = fmt.Errorf("connection to %s stood still for %v: %w", w.RemoteAddr(), w.silence, os.ErrDeadlineExceeded)
	}
	return n, err
}
