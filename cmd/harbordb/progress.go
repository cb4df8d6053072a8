package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/harbordb/harbordb/internal/progress"
)

// How often progress is shown: a bar on a terminal, a line elsewhere.
const (
	barInterval  = 200 * time.Millisecond
	lineInterval = 15 * time.Second
)

// statusLine is stderr with room for one line that is drawn again and again
// below everything else that is written.
type statusLine struct {
	mu       sync.Mutex
	w        io.Writer
	terminal bool
	drawn    bool
}

func newStatusLine(w io.Writer) *statusLine {
	return &statusLine{w: w, terminal: isTerminal(w)}
}

const eraseLine = "\r\x1b[K"

// Write takes the status line away, so that other text gets lines of its own.
func (s *statusLine) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.erase()
	return s.w.Write(p)
}

// draw replaces the status line; an empty text takes it away.
func (s *statusLine) draw(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.erase()
	if text != "" {
		fmt.Fprint(s.w, text)
		s.drawn = true
	}
}

func (s *statusLine) erase() {
	if s.drawn {
		fmt.Fprint(s.w, eraseLine)
		s.drawn = false
	}
}

// bar is a progress.Reporter that draws.
type bar struct {
	out    *statusLine
	cancel chan struct{}
	ended  chan struct{}

	mu    sync.Mutex
	phase phase
}

// phase is what a bar knows of the work under way.
type phase struct {
	name    string
	unit    progress.Unit
	total   int64
	done    int64
	started time.Time
}

func newBar(out *statusLine) *bar {
	b := &bar{out: out, cancel: make(chan struct{}), ended: make(chan struct{})}
	go b.show()
	return b
}

// Begin starts a phase.
func (b *bar) Begin(name string, total int64, unit progress.Unit) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.phase = phase{name: name, unit: unit, total: total, started: time.Now()}
}

// Add counts.
func (b *bar) Add(n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.phase.done += n
}

// stop ends the drawing and takes the bar away.
func (b *bar) stop() {
	close(b.cancel)
	<-b.ended
}

func (b *bar) show() {
	defer close(b.ended)
	interval := lineInterval
	if b.out.terminal {
		interval = barInterval
	}
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-b.cancel:
			b.out.draw("")
			return
		case now := <-ticker.C:
			b.mu.Lock()
			current := b.phase
			b.mu.Unlock()
			if current.name == "" {
				continue
			}
			if b.out.terminal {
				b.out.draw(current.bar(now, width(b.out.w)))
			} else {
				fmt.Fprintln(b.out, current.line(now))
			}
		}
	}
}

// line is the phase in words: "dump artifact_blob: 1.2 GiB of 4.0 GiB (30%), 52 MiB/s, 1m0s left".
func (p phase) line(now time.Time) string {
	text := p.name + ": " + p.count(p.done)
	if p.total > 0 {
		done := strings.TrimSuffix(p.count(p.done), " "+string(p.unit))
		text = fmt.Sprintf("%s: %s of %s (%d%%)", p.name, done, p.count(p.total), int(100*p.part()))
	}
	elapsed := now.Sub(p.started)
	if elapsed < time.Second || p.done <= 0 {
		return text
	}
	rate := float64(p.done) / elapsed.Seconds()
	text += ", " + p.count(int64(rate)) + "/s"
	if left := p.total - p.done; left > 0 {
		text += ", " + (time.Duration(float64(left)/rate) * time.Second).Round(time.Second).String() + " left"
	}
	return text
}

const barCells = 24

// bar is the phase as a line of at most columns characters.
func (p phase) bar(now time.Time, columns int) string {
	text := p.line(now)
	if p.total > 0 {
		full := int(p.part() * barCells)
		text = "[" + strings.Repeat("#", full) + strings.Repeat(".", barCells-full) + "] " + text
	}
	return shorten(printable(text), max(columns-1, leastWidth))
}

// part is how much of the phase is done, from 0 to 1.
func (p phase) part() float64 {
	return min(max(float64(p.done)/float64(p.total), 0), 1)
}

func (p phase) count(n int64) string {
	if p.unit == progress.Bytes {
		return humanBytes(n)
	}
	return humanCount(n) + " " + string(p.unit)
}
