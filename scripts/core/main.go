// Core stands in for the core of one Harbor release where a demonstration
// needs one: it migrates a database with golang-migrate, with just the
// migrations that the release ships, and prints what that core would print.
package main

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"

	"github.com/golang-migrate/migrate/v4"
	postgres "github.com/golang-migrate/migrate/v4/database/pgx/v5"
	"github.com/golang-migrate/migrate/v4/source/iofs"

	"github.com/harbordb/harbordb/schema"
	harborsql "github.com/harbordb/harbordb/testdata/sql"
)

func main() {
	dsn := flag.String("dsn", "", "the database, as a postgres:// URL")
	release := flag.String("release", "", "the Harbor release, such as v1.9.4")
	fill := flag.Bool("fill", false, "fill the database as that release does in use")
	create := flag.String("create", "", "only create the database of this name")
	flag.Parse()
	if err := run(*dsn, *release, *fill, *create); err != nil {
		fmt.Printf("[ERROR] [/common/dao/pgsql.go]: Failed to upgrade schema, error: %q\n", err)
		fmt.Printf("[FATAL] [/core/main.go]: failed to initialize database: %v\n", err)
		os.Exit(1)
	}
}

func run(dsn, name string, fill bool, create string) error {
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		return err
	}
	defer db.Close()
	if create != "" {
		_, err := db.Exec(`CREATE DATABASE "` + create + `"`)
		return err
	}
	release, err := schema.ParseRelease(name)
	if err != nil {
		return err
	}
	if err := upgrade(db, release); err != nil {
		return err
	}
	if !fill {
		return nil
	}
	newest := release.Migrations()[len(release.Migrations())-1]
	return harborsql.FillHarbor(context.Background(), db, int(newest.Version), 1)
}

// upgrade is what a core does at its start.
func upgrade(db *sql.DB, release schema.Release) error {
	fmt.Printf("[INFO] Harbor %s: Upgrading schema for pgsql ...\n", release)
	files, err := iofs.New(shipped{harborsql.MigrationsFS(), release}, ".")
	if err != nil {
		return err
	}
	driver, err := postgres.WithInstance(db, &postgres.Config{})
	if err != nil {
		return err
	}
	m, err := migrate.NewWithInstance("iofs", files, "pgx5", driver)
	if err != nil {
		return err
	}
	err = m.Up()
	if errors.Is(err, migrate.ErrNoChange) {
		fmt.Println("[INFO] No change in schema, skip.")
		return nil
	}
	if errors.Is(err, fs.ErrNotExist) {
		return fs.ErrNotExist // all that golang-migrate said until Harbor 2.5
	}
	return err
}

// shipped is the folder of migrations with the files of one release.
type shipped struct {
	fs.FS
	release schema.Release
}

// ReadDir lists the release's own files.
func (s shipped) ReadDir(name string) ([]fs.DirEntry, error) {
	all, err := fs.ReadDir(s.FS, name)
	if err != nil {
		return nil, err
	}
	own := map[string]bool{}
	for _, m := range s.release.Migrations() {
		own[m.File()] = true
	}
	var list []fs.DirEntry
	for _, e := range all {
		if own[e.Name()] {
			list = append(list, e)
		}
	}
	return list, nil
}
