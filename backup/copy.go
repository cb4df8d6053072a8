package backup

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/harbordb/harbordb/backup/source"
	"github.com/harbordb/harbordb/internal/progress"
	"github.com/harbordb/harbordb/snapshots"
	"golang.org/x/sync/errgroup"
)

// copying is one database on its way into a snapshot.
type copying struct {
	source.Source
	to     *snapshots.Writer
	first  int // how many data files the snapshot has already
	report progress.Reporter
}

// copyAll copies schema, rows and sequences.
func (c copying) copyAll(ctx context.Context, names snapshots.SchemaObjects) (snapshots.Database, error) {
	about := c.Describe()
	content := snapshots.Database{Name: about.Name, Time: about.Time, SchemaObjects: names, Tables: about.Tables, LeftOut: about.LeftOut}
	for name, data := range map[string][]byte{
		names.Model: about.Model, names.Pre: []byte(about.Pre), names.Post: []byte(about.Post),
	} {
		if err := c.to.Put(ctx, name, data); err != nil {
			return content, err
		}
	}
	err := c.copyParts(ctx, content.Tables)
	if err == nil {
		content.Sequences, err = c.Finish(ctx)
	}
	return content, err
}

// copied is a part with what came out of it.
type copied struct {
	part        snapshots.Part
	fingerprint snapshots.Fingerprint
}

// copyParts copies every part and enters what was written into the tables.
func (c copying) copyParts(ctx context.Context, tables []snapshots.Table) error {
	parts := c.Parts()
	done := make([]copied, len(parts))
	err := eachPart(ctx, c.Source, func(ctx context.Context, worker source.Worker, queue <-chan int) (err error) {
		out := c.to.NewPartWriter()
		defer func() { err = errors.Join(err, out.Close()) }()
		for i := range queue {
			if done[i], err = copyPart(ctx, worker, out, parts[i], c.first+i+1); err != nil {
				return err
			}
			c.report.Add(parts[i].Bytes)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return enter(tables, parts, done)
}

// eachPart runs work on every worker of a database; all of them take from one
// queue.
func eachPart(ctx context.Context, held source.Source, work func(ctx context.Context, worker source.Worker, queue <-chan int) error) error {
	n := len(held.Parts())
	queue := make(chan int, n)
	for i := range n {
		queue <- i
	}
	close(queue)
	group, ctx := errgroup.WithContext(ctx)
	for _, worker := range held.Workers() {
		group.Go(func() error { return work(ctx, worker, queue) })
	}
	return group.Wait()
}

func copyPart(ctx context.Context, worker source.Worker, out *snapshots.PartWriter, p source.Part, number int) (copied, error) {
	if err := ctx.Err(); err != nil {
		return copied{}, err
	}
	if err := out.Begin(ctx, fmt.Sprintf("data/%06d.zst", number)); err != nil {
		return copied{}, err
	}
	if err := worker.Copy(ctx, p, out); err != nil {
		return copied{}, err // closing the writer gives the part up
	}
	part, fingerprint, err := out.End()
	return copied{part, fingerprint}, err
}

// readParts reads every part, stores nothing, and enters what it amounts to
// into the tables.
func readParts(ctx context.Context, held source.Source, tables []snapshots.Table, report progress.Reporter) error {
	parts := held.Parts()
	done := make([]copied, len(parts))
	err := eachPart(ctx, held, func(ctx context.Context, worker source.Worker, queue <-chan int) error {
		for i := range queue {
			var lines snapshots.LineTally
			if err := worker.Copy(ctx, parts[i], io.Writer(&lines)); err != nil {
				return err
			}
			t, err := lines.Tally()
			if err != nil {
				return err
			}
			done[i] = copied{snapshots.Part{Rows: t.Rows, Bytes: t.Bytes}, t.Fingerprint}
			report.Add(parts[i].Bytes)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return enter(tables, parts, done)
}

// enter adds the parts up, in the order of the queue.
func enter(tables []snapshots.Table, parts []source.Part, done []copied) error {
	for i, p := range parts {
		t := &tables[p.Table]
		sum, err := snapshots.ParseFingerprint(t.Fingerprint)
		if err != nil {
			return err
		}
		t.Fingerprint = sum.Add(done[i].fingerprint).String()
		t.Rows += done[i].part.Rows
		t.Bytes += done[i].part.Bytes
		t.Parts = append(t.Parts, done[i].part)
	}
	return nil
}
