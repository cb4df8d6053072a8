package main

import (
	"errors"
	"io"
	"os"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/harbordb/harbordb/internal/atomicfile"
	"github.com/harbordb/harbordb/internal/fault"
	"github.com/harbordb/harbordb/snapshots"
)

// standardStream is the word for stdin or stdout where a file could be named.
const standardStream = "-"

func snapshotsExportCommand(s *session) *cli.Command {
	return &cli.Command{
		Name:      "export",
		Usage:     "write a snapshot to one tar file",
		ArgsUsage: "ID FILE",
		Description: "Writes a snapshot as one tar file and checks the digest of every object on the way; an encrypted one stays encrypted. " +
			"The file appears when it is complete, and none is overwritten. - is stdout.",
		UsageText: "harbordb snapshots export before-v2.11.0 /mnt/usb/before.tar",
		Action:    func(c *cli.Context) error { return runSnapshotsExport(c, s) },
	}
}

func snapshotsImportCommand(s *session) *cli.Command {
	return &cli.Command{
		Name:      "import",
		Usage:     "add a snapshot from a tar file to the store",
		ArgsUsage: "FILE",
		Description: "Reads what harbordb snapshots export wrote, checks every name, size and digest, and adds the snapshot to the store under its ID. " +
			"An ID that another snapshot has is refused. - is stdin.",
		UsageText: "harbordb snapshots import /mnt/usb/before.tar --store s3://backups/harbor",
		Action:    func(c *cli.Context) error { return runSnapshotsImport(c, s) },
	}
}

// transferResult is the document of snapshots export and import.
type transferResult struct {
	Snapshot snapshotRow `json:"snapshot"`
	File     string      `json:"file"`
	Bytes    int64       `json:"bytes"` // of the file that was written; of an import, of all objects
	// Already: the same snapshot was in the store; nothing was done.
	Already bool `json:"already"`
}

func runSnapshotsExport(c *cli.Context, s *session) error {
	ref, file := c.Args().Get(0), c.Args().Get(1)
	if file == standardStream {
		if s.console.format == jsonFormat {
			return fault.Usagef("stdout cannot carry the tar file and the JSON document").WithHint("name a file, or leave out -o json")
		}
		if isTerminal(s.console.stdout) {
			return fault.Usagef("a tar file is not for a terminal").WithHint("harbordb snapshots export %s - > FILE", ref)
		}
	}
	store, e, err := s.findSnapshot(c, ref)
	if err != nil {
		return err
	}
	var m *snapshots.Manifest
	write := func(w io.Writer) (err error) {
		report, done := s.console.progress()
		defer done()
		m, err = snapshots.Export(c.Context, store, e.ID, w, report)
		return refuseCorrupt(err)
	}
	if file == standardStream {
		return write(s.console.stdout)
	}
	size, err := writeNewFile(file, write)
	if err != nil {
		return err
	}
	result := transferResult{Snapshot: newSnapshotRow(entryOf(m)), File: file, Bytes: size}
	return s.console.print(result, func(p *page) { p.line("exported snapshot %s to %s, %s", m.ID, file, humanBytes(size)) })
}

// writeNewFile makes a file that appears when it is complete and on the disk,
// and never takes the place of another. It returns the size.
func writeNewFile(name string, write func(io.Writer) error) (size int64, err error) {
	if _, err := os.Lstat(name); !errors.Is(err, os.ErrNotExist) {
		if err != nil {
			return 0, fault.Failedf("write the file: %w", err)
		}
		return 0, fault.Refusedf("%s exists already", name).WithHint("remove it, or name another file")
	}
	return atomicfile.Replace(name, 0o600, write)
}

func runSnapshotsImport(c *cli.Context, s *session) error {
	file := c.Args().First()
	in := s.console.stdin
	if file != standardStream {
		f, err := os.Open(file)
		if err != nil {
			return fault.Failedf("import: %w", err)
		}
		defer f.Close()
		in = f
	} else if isTerminal(s.console.stdin) {
		return fault.Usagef("stdin is a terminal").WithHint("harbordb snapshots import - < FILE")
	}
	store, err := s.createStore(c.Context)
	if err != nil {
		return err
	}
	report, done := s.console.progress()
	imported, err := snapshots.ReadImport(c.Context, store, in, time.Now(), report)
	done()
	if err != nil {
		return err
	}
	e := entryOf(imported.Manifest)
	result := transferResult{Snapshot: newSnapshotRow(e), File: file, Bytes: e.Size, Already: imported.Already}
	return s.console.print(result, func(p *page) {
		if imported.Already {
			p.line("snapshot %s is there already", e.ID)
			return
		}
		p.line("imported snapshot %s of %s, %s", e.ID, result.Snapshot.Database, humanBytes(e.Size))
	})
}
