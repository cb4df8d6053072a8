package dbtest

import (
	"net"
	"strconv"
	"sync"
	"testing"

	"github.com/harbordb/harbordb/database"
)

// Direction is a way through a Proxy.
type Direction int

// The two directions.
const (
	ToServer Direction = iota
	ToClient
)

// Proxy stands between a client and a server on 127.0.0.1 and lets a test cut
// or stall their connections. All methods may be called at any time.
type Proxy struct {
	server   *Server
	listener net.Listener
	running  sync.WaitGroup

	mu     sync.Mutex
	gate   *sync.Cond // signals a change of paused or down
	paused bool
	down   bool
	open   map[*link]struct{}
	passed [2]int64
	cut    [2]int64 // the value of passed to cut at; 0 for none
	cuts   int
}

// link is one client's connection with its twin to the server.
type link struct{ client, server net.Conn }

func (l *link) close() {
	l.client.Close()
	l.server.Close()
}

// NewProxy starts a proxy to the server's TCP port; it ends with the test.
func NewProxy(t testing.TB, s *Server) *Proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("start proxy: %v", err)
	}
	p := &Proxy{server: s, listener: listener, open: map[*link]struct{}{}}
	p.gate = sync.NewCond(&p.mu)
	p.running.Go(p.accept)
	t.Cleanup(func() {
		listener.Close()
		p.Down()
		p.running.Wait()
	})
	return p
}

// Settings are the server's TCP settings by way of the proxy.
func (p *Proxy) Settings(dbname string) database.Settings {
	set := p.server.TCP(dbname)
	set.Port = p.listener.Addr().(*net.TCPAddr).Port
	return set
}

// CutAfter closes all connections as soon as that many more bytes have passed
// in a direction, over all connections together. The last of them do arrive.
// Connections that are made afterwards live.
func (p *Proxy) CutAfter(d Direction, bytes int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut[d] = p.passed[d] + max(bytes, 1)
}

// CutNow closes all connections. Those that are made afterwards live.
func (p *Proxy) CutNow() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closeAll()
}

// Down closes all connections and every new one at once, until Up.
func (p *Proxy) Down() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = true
	p.closeAll()
}

// Up ends Down.
func (p *Proxy) Up() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = false
}

// Pause stalls all connections, new ones too: they stay open and nothing
// passes until Resume.
func (p *Proxy) Pause() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.paused = true
}

// Resume ends Pause; nothing has been lost.
func (p *Proxy) Resume() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.paused = false
	p.gate.Broadcast()
}

// Passed is how many bytes have gone in a direction so far: a test that cuts
// at every point of a run learns the length from a run without a cut.
func (p *Proxy) Passed(d Direction) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.passed[d]
}

// Cuts is how often CutAfter has struck.
func (p *Proxy) Cuts() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cuts
}

// closeAll is called with mu held.
func (p *Proxy) closeAll() {
	for l := range p.open {
		l.close()
		delete(p.open, l)
	}
	p.gate.Broadcast()
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return // closed: the test is over
		}
		server, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(p.server.port)))
		if err != nil {
			client.Close() // the server is down, and so are we
			continue
		}
		l := &link{client: client, server: server}
		if !p.add(l) {
			l.close()
			continue
		}
		p.running.Go(func() { p.pump(l, ToServer, client, server) })
		p.running.Go(func() { p.pump(l, ToClient, server, client) })
	}
}

func (p *Proxy) add(l *link) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.down {
		return false
	}
	p.open[l] = struct{}{}
	return true
}

func (p *Proxy) remove(l *link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, l)
	l.close()
	p.gate.Broadcast()
}

// pump carries one direction of one connection; when either direction ends,
// the connection ends.
func (p *Proxy) pump(l *link, d Direction, from, to net.Conn) {
	defer p.remove(l)
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		for sent := 0; sent < n; {
			allowed := p.take(l, d, n-sent)
			if allowed == 0 {
				return
			}
			if _, err := to.Write(buffer[sent : sent+allowed]); err != nil {
				return
			}
			sent += allowed
			p.strike(d)
		}
		if err != nil {
			return
		}
	}
}

// take says how many of n bytes may pass now; it waits while the proxy is
// paused, and returns 0 once the connection is closed.
func (p *Proxy) take(l *link, d Direction, n int) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.paused && p.isOpen(l) {
		p.gate.Wait()
	}
	if !p.isOpen(l) {
		return 0
	}
	if p.cut[d] > 0 {
		n = int(min(int64(n), p.cut[d]-p.passed[d]))
	}
	p.passed[d] += int64(n)
	return n
}

func (p *Proxy) isOpen(l *link) bool {
	_, ok := p.open[l]
	return ok
}

// strike cuts all connections when the bytes that were taken, and have been
// written by now, were the last.
func (p *Proxy) strike(d Direction) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cut[d] > 0 && p.passed[d] >= p.cut[d] {
		p.cut[d] = 0
		p.cuts++
		p.closeAll()
	}
}
