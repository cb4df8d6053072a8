package backup

import (
	"context"
	"fmt"
	"slices"

	"github.com/harbordb/harbordb/backup/postgres"
	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/fault"
	"github.com/harbordb/harbordb/internal/progress"
	"github.com/harbordb/harbordb/snapshots"
	"github.com/harbordb/harbordb/snapshots/mymodel"
	"github.com/harbordb/harbordb/snapshots/pgmodel"
)

// Side is one of two things to be compared: a snapshot, or the live database
// with its companions.
type Side struct {
	Name       string // the snapshot's ID, or "live"
	From       snapshots.Source
	Harbor     snapshots.Harbor
	own        described   // Harbor's database
	companions []described // in the order in which they were taken
}

// described is a database with its model.
type described struct {
	*snapshots.Database
	model []byte
}

// Diff is how side B differs from side A.
type Diff struct {
	A DiffSide `json:"a"`
	B DiffSide `json:"b"`
	DatabaseDiff
	// Companions are the databases beside Harbor's own.
	Companions []CompanionDiff `json:"companions,omitempty"`
}

// DatabaseDiff is how a database differs.
type DatabaseDiff struct {
	Schema []string                    `json:"schema"` // one line a difference
	Tables []snapshots.TableDifference `json:"tables"`
}

// CompanionDiff is how a companion differs.
type CompanionDiff struct {
	Database string `json:"database"`
	// Change is empty where both sides have it.
	Change snapshots.TableChange `json:"change,omitempty"`
	DatabaseDiff
}

// DiffSide names one side.
type DiffSide struct {
	Name     string   `json:"name"`
	Schema   string   `json:"schema_version"`
	Releases []string `json:"releases"`
	Rows     int64    `json:"rows"` // of all its databases
}

// Same tells whether nothing differs.
func (d Diff) Same() bool {
	for _, c := range d.Companions {
		if !c.Same() {
			return false
		}
	}
	return d.DatabaseDiff.Same()
}

// Same tells whether nothing differs.
func (d DatabaseDiff) Same() bool { return len(d.Schema) == 0 && len(d.Tables) == 0 }

// Same tells whether both sides have it and nothing differs.
func (c CompanionDiff) Same() bool { return c.Change == "" && c.DatabaseDiff.Same() }

// Companions names the databases that the side has beside Harbor's own.
func (s Side) Companions() []string {
	var names []string
	for _, d := range s.companions {
		names = append(names, d.Name)
	}
	return names
}

// OfSnapshot returns a snapshot as a side.
func OfSnapshot(ctx context.Context, s *snapshots.Snapshot) (Side, error) {
	own, err := Content(s)
	if err != nil {
		return Side{}, err
	}
	side := Side{Name: string(s.Manifest.ID), From: s.Manifest.Source, Harbor: s.Manifest.Harbor}
	if side.own, err = ofSnapshot(ctx, s, own); err != nil {
		return Side{}, err
	}
	for _, companion := range CompanionsOf(s) {
		d, err := ofSnapshot(ctx, s, companion)
		if err != nil {
			return Side{}, err
		}
		side.companions = append(side.companions, d)
	}
	return side, nil
}

func ofSnapshot(ctx context.Context, s *snapshots.Snapshot, content *snapshots.Database) (described, error) {
	model, err := s.Object(ctx, content.Model)
	return described{content, model}, err
}

// OfLive reads the databases that the dump holds, all of them, and returns
// them as a side. Nothing is stored.
func (d *Dump) OfLive(ctx context.Context, report progress.Reporter) (Side, error) {
	report.Begin("read", d.Estimate().Bytes, progress.Bytes)
	var list []described
	for _, held := range d.held.Databases {
		about := held.Describe()
		content := &snapshots.Database{Name: about.Name, Tables: about.Tables}
		if err := readParts(ctx, held, content.Tables, report); err != nil {
			return Side{}, err
		}
		list = append(list, described{content, about.Model})
	}
	return Side{Name: "live", From: d.from, Harbor: d.harbor, own: list[0], companions: list[1:]}, nil
}

// differs compare two models of an engine, one line a difference.
var differs = map[string]func(a, b []byte) ([]string, error){
	string(database.PostgreSQL): pgmodel.DiffJSON,
	string(database.MySQL):      mymodel.DiffJSON,
}

// unlikes name the tables of a model whose rows two versions of a server print
// in different ways; of an engine that is not here, there are none.
var unlikes = map[string]func(model []byte, a, b int) (map[string]bool, error){
	string(database.PostgreSQL): postgres.PrintedUnlike,
}

// Compare compares two sides of one engine.
func Compare(a, b Side) (Diff, error) {
	if a.From.Engine != b.From.Engine {
		return Diff{}, fault.Refusedf("%s is of %s, %s of %s: they cannot be compared", a.Name, a.From.Product, b.Name, b.From.Product)
	}
	if _, ok := differs[a.From.Engine]; !ok {
		return Diff{}, fault.Refusedf("snapshots of the engine %q cannot be compared", a.From.Engine)
	}
	d := Diff{A: a.side(), B: b.side()}
	var err error
	if d.DatabaseDiff, err = a.own.diff(b.own, a.From, b.From); err != nil {
		return d, fmt.Errorf("compare %s and %s: %w", a.Name, b.Name, err)
	}
	for _, of := range a.companions {
		c := CompanionDiff{Database: of.Name, Change: snapshots.OnlyInA}
		if i := slices.IndexFunc(b.companions, of.isNamed); i >= 0 {
			c.Change = ""
			if c.DatabaseDiff, err = of.diff(b.companions[i], a.From, b.From); err != nil {
				return d, fmt.Errorf("compare database %s of %s and %s: %w", of.Name, a.Name, b.Name, err)
			}
		}
		d.Companions = append(d.Companions, c)
	}
	for _, of := range b.companions {
		if !slices.ContainsFunc(a.companions, of.isNamed) {
			d.Companions = append(d.Companions, CompanionDiff{Database: of.Name, Change: snapshots.OnlyInB})
		}
	}
	return d, nil
}

func (d described) isNamed(other described) bool { return d.Name == other.Name }

// diff compares a database of one server with one of another.
func (d described) diff(other described, from, to snapshots.Source) (DatabaseDiff, error) {
	lines, err := differs[from.Engine](d.model, other.model)
	if err != nil {
		return DatabaseDiff{}, err
	}
	var unlike map[string]bool
	if find, ok := unlikes[from.Engine]; ok {
		if unlike, err = find(d.model, from.ServerNumber, to.ServerNumber); err != nil {
			return DatabaseDiff{}, err
		}
	}
	return DatabaseDiff{Schema: lines, Tables: snapshots.DiffTables(d.Database, other.Database, unlike)}, nil
}

func (s Side) side() DiffSide {
	side := DiffSide{Name: s.Name, Schema: s.Harbor.Version, Releases: s.Harbor.Releases}
	for _, d := range append([]described{s.own}, s.companions...) {
		side.Rows += d.Rows()
	}
	return side
}
