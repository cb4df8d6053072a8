package snapshots

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/klauspost/compress/zstd"
)

// PartWriter compresses, tallies and stores the rows of parts, one after the
// other. It keeps its encoders between parts, so each goroutine that dumps has
// one of its own.
//
// A part is put in its place while the next one is being written: what the
// disk or the network needs for that costs the dump no time. So End tells what
// a part holds, and Close whether all of them are stored.
type PartWriter struct {
	w *Writer
	LineTally

	name string // of the part, as the contents have it
	out  *object
	head []byte        // the first rows, until they have shown how wide they are
	zst  *zstd.Encoder // nil while they have not
	// narrow and wide are the encoders for rows of either kind, made when
	// they are needed.
	narrow, wide *zstd.Encoder

	placing chan error // of the part before; nil where there is none
}

// How rows are compressed. Measured on Harbor's tables: the fastest level of
// zstd is both smaller and quicker than gzip, and one encoder a worker wins
// over one parallel encoder. Rows of a few numbers and a key look like their
// neighbours, and a far match costs more than it saves: a window of 32 KiB
// stores half as much of them as one of 1 MiB. Wider rows, with texts that come
// back, take the larger one. WithLowerEncoderMem would save less than that a
// worker, and cost an eighth of the encoder's time.
const (
	narrowRow    = 128 // bytes, on average
	narrowWindow = 32 << 10
	wideWindow   = 1 << 20
	headBytes    = 64 << 10 // of rows that show their width
)

// NewPartWriter returns a writer for one goroutine, which closes it.
func (w *Writer) NewPartWriter() *PartWriter { return &PartWriter{w: w} }

func newEncoder(window int) (*zstd.Encoder, error) {
	return zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest),
		zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(window), zstd.WithEncoderCRC(false))
}

// Begin starts a part under the object's name.
func (p *PartWriter) Begin(ctx context.Context, name string) (err error) {
	if p.out, err = p.w.create(ctx, name); err != nil {
		return err
	}
	p.name, p.zst, p.head = name, nil, p.head[:0]
	p.LineTally = LineTally{partial: p.partial}
	return nil
}

// Write takes raw lines, cut anywhere.
func (p *PartWriter) Write(b []byte) (int, error) {
	if _, err := p.LineTally.Write(b); err != nil {
		return 0, err
	}
	if p.zst != nil {
		return p.zst.Write(b)
	}
	if p.head = append(p.head, b...); len(p.head) < headBytes {
		return len(b), nil
	}
	return len(b), p.compress()
}

// compress picks the encoder for the rows that have come, and gives it them.
func (p *PartWriter) compress() (err error) {
	encoder, window := &p.wide, wideWindow
	if rows := bytes.Count(p.head, []byte{'\n'}); rows > 0 && len(p.head)/rows < narrowRow {
		encoder, window = &p.narrow, narrowWindow
	}
	if *encoder == nil {
		if *encoder, err = newEncoder(window); err != nil {
			return err
		}
	}
	p.zst = *encoder
	p.zst.Reset(p.out)
	_, err = p.zst.Write(p.head)
	return err
}

// End completes the part and returns what it holds. It is stored once Close
// has returned nil.
func (p *PartWriter) End() (Part, Fingerprint, error) {
	t, err := p.Tally()
	if err == nil && p.zst == nil {
		err = p.compress()
	}
	if err == nil {
		err = p.zst.Close()
	}
	if err != nil {
		return Part{}, Fingerprint{}, errors.Join(fmt.Errorf("write %s of snapshot %s: %w", p.out.name, p.w.id, err), p.Cancel())
	}
	if err := p.placed(); err != nil {
		return Part{}, Fingerprint{}, errors.Join(err, p.Cancel())
	}
	p.place()
	return Part{Object: p.name, Rows: t.Rows, Bytes: t.Bytes}, t.Fingerprint, nil
}

// place commits the part's object beside whatever comes next.
func (p *PartWriter) place() {
	out, done := p.out, make(chan error, 1)
	p.out, p.placing = nil, done
	go func() {
		err := out.commit()
		if err != nil {
			err = errors.Join(err, out.stored.out.Abort())
		}
		done <- err
	}()
}

// placed waits for the part before.
func (p *PartWriter) placed() error {
	if p.placing == nil {
		return nil
	}
	err := <-p.placing
	p.placing = nil
	return err
}

// Cancel gives up a part that was begun and not ended.
func (p *PartWriter) Cancel() error {
	if p.out == nil {
		return nil
	}
	out := p.out
	p.out = nil
	return out.stored.out.Abort()
}

// Close waits until everything is stored that was ended, gives up what was
// not, and must be called before the snapshot is committed or aborted.
func (p *PartWriter) Close() error { return errors.Join(p.placed(), p.Cancel()) }
