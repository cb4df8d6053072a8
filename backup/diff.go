package backup

import (
	"context"
	"fmt"
	"io"

	"github.com/harbordb/harbordb/backup/source"
	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/fault"
	"github.com/harbordb/harbordb/internal/progress"
	"github.com/harbordb/harbordb/snapshots"
	"github.com/harbordb/harbordb/snapshots/mymodel"
	"github.com/harbordb/harbordb/snapshots/pgmodel"
)

// Side is one of two databases to be compared: a snapshot's or the live one.
type Side struct {
	Name    string // the snapshot's ID, or "live"
	From    snapshots.Source
	Harbor  snapshots.Harbor
	content *snapshots.Database
	model   []byte
}

// Diff is how side B differs from side A.
type Diff struct {
	A      DiffSide                    `json:"a"`
	B      DiffSide                    `json:"b"`
	Schema []string                    `json:"schema"` // one line a difference
	Tables []snapshots.TableDifference `json:"tables"`
}

// DiffSide names one side.
type DiffSide struct {
	Name     string   `json:"name"`
	Schema   string   `json:"schema_version"`
	Releases []string `json:"releases"`
	Rows     int64    `json:"rows"`
}

// Same tells whether nothing differs.
func (d Diff) Same() bool { return len(d.Schema) == 0 && len(d.Tables) == 0 }

// OfSnapshot returns a snapshot as a side.
func OfSnapshot(ctx context.Context, s *snapshots.Snapshot) (Side, error) {
	content, err := Content(s)
	if err != nil {
		return Side{}, err
	}
	model, err := s.Object(ctx, content.Model)
	return Side{Name: string(s.Manifest.ID), From: s.Manifest.Source, Harbor: s.Manifest.Harbor, content: content, model: model}, err
}

// OfLive reads the database that the dump holds, all of it, and returns it as
// a side. Nothing is stored.
func (d *Dump) OfLive(ctx context.Context, report progress.Reporter) (Side, error) {
	content := &snapshots.Database{Name: d.about.Name, Tables: d.about.Tables}
	report.Begin("read", d.Estimate().Bytes, progress.Bytes)
	parts := d.source.Parts()
	done := make([]copied, len(parts))
	err := d.eachPart(ctx, func(ctx context.Context, worker source.Worker, queue <-chan int) error {
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
	if err == nil {
		err = enter(content.Tables, parts, done)
	}
	return Side{Name: "live", From: d.from, Harbor: d.harbor, content: content, model: d.about.Model}, err
}

// differs compare two models of an engine, one line a difference.
var differs = map[string]func(a, b []byte) ([]string, error){
	string(database.PostgreSQL): pgmodel.DiffJSON,
	string(database.MySQL):      mymodel.DiffJSON,
}

// Compare compares two sides of one engine.
func Compare(a, b Side) (Diff, error) {
	if a.From.Engine != b.From.Engine {
		return Diff{}, fault.Refusedf("%s is of %s, %s of %s: they cannot be compared", a.Name, a.From.Product, b.Name, b.From.Product)
	}
	models, ok := differs[a.From.Engine]
	if !ok {
		return Diff{}, fault.Refusedf("snapshots of the engine %q cannot be compared", a.From.Engine)
	}
	lines, err := models(a.model, b.model)
	if err != nil {
		return Diff{}, fmt.Errorf("compare %s and %s: %w", a.Name, b.Name, err)
	}
	return Diff{A: a.side(), B: b.side(), Schema: lines, Tables: snapshots.DiffTables(a.content, b.content)}, nil
}

func (s Side) side() DiffSide {
	side := DiffSide{Name: s.Name, Schema: s.Harbor.Version, Releases: s.Harbor.Releases}
	for _, t := range s.content.Tables {
		side.Rows += t.Rows
	}
	return side
}
