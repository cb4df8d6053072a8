package orphans

import (
	"context"
	"fmt"
	"strings"

	"github.com/harbordb/harbordb/internal/progress"
	"github.com/harbordb/harbordb/registry"
)

// check is a question that the database answers alone. Its rows are artifacts,
// with a number and a text of the check's own.
type check struct {
	code  Code
	query string
	// suspect makes a suspect of one row, by whose key rows are put
	// together: several artifacts may suffer from one cause.
	suspect func(r artifactRow) suspect
}

// checks are the questions that the era can answer.
func (d *snapshot) checks() []check {
	if !d.era.artifacts {
		return nil
	}
	list := []check{
		{ArtifactSize, d.sql.sizes, sizeSuspect},
		{ArtifactBlobMissing, d.sql.listless, listlessSuspect},
		{ArtifactBlobMissing, d.sql.rowless, rowlessSuspect},
		{AssociationMissing, d.sql.unassociated, unassociatedSuspect},
		{ReferenceRowMissing, d.sql.lostChildren, lostChildSuspect},
	}
	if d.era.status {
		list = append(list, check{BlobStatus, d.sql.marked, markedSuspect})
	}
	if d.era.accessories {
		list = append(list, check{ReferenceRowMissing, d.sql.lostAccessories, lostAccessorySuspect})
	}
	return list
}

func sizeSuspect(r artifactRow) suspect {
	reason := "its size is not known"
	if r.text == "UNKNOWN" {
		reason = "its media type is UNKNOWN"
	}
	return suspect{key: fmt.Sprint("artifact ", r.id), reason: reason}
}

func listlessSuspect(r artifactRow) suspect {
	return suspect{key: fmt.Sprint("artifact ", r.id), reason: "it has no rows in artifact_blob"}
}

func rowlessSuspect(r artifactRow) suspect {
	return suspect{key: "blob " + r.text, reason: "the blob has no row in table blob"}
}

func unassociatedSuspect(r artifactRow) suspect {
	project, _ := splitProject(r.repository)
	reason := "no project has it: the next garbage collection deletes it"
	if r.number > 0 {
		reason = fmt.Sprintf("only other projects have it (%d): the garbage collection after they are gone deletes it", r.number)
	}
	return suspect{key: "project " + project + " blob " + r.text, reason: reason}
}

func markedSuspect(r artifactRow) suspect {
	digest, status, _ := strings.Cut(r.text, " ")
	return suspect{key: "blob " + digest, reason: "a garbage collection has marked it: " + status}
}

func lostChildSuspect(r artifactRow) suspect {
	return suspect{key: fmt.Sprint("artifact ", r.number), reason: fmt.Sprintf("artifact_reference names a child %s (artifact %d) that has no row", r.text, r.number)}
}

func lostAccessorySuspect(r artifactRow) suspect {
	return suspect{key: fmt.Sprint("accessory ", r.number), reason: fmt.Sprintf("artifact_accessory names an accessory %s (row %d) that has no row itself", r.text, r.number)}
}

// digestOfRow is what a row is about: the blob that its text begins with, else
// the artifact.
func digestOfRow(r artifactRow) registry.Digest {
	first, _, _ := strings.Cut(r.text, " ")
	if d, err := registry.ParseDigest(first); err == nil {
		return d
	}
	d, _ := registry.ParseDigest(r.digest) // the zero Digest where it is none
	return d
}

// checkDatabase asks what the database answers alone.
func (s *scan) checkDatabase(ctx context.Context) error {
	if s.db == nil {
		return nil
	}
	s.begin("database checks", 0, progress.Rows)
	found, err := s.db.runChecks(ctx, s)
	if err != nil {
		return err
	}
	for _, x := range found {
		s.suspects.add(*x)
	}
	return nil
}

// runChecks returns a suspect for each cause, in the order of checks and rows.
func (d *snapshot) runChecks(ctx context.Context, s *scan) ([]*suspect, error) {
	var all []*suspect
	for _, c := range d.checks() {
		byKey := make(map[string]*suspect)
		err := d.eachRow(ctx, c.query, func(r artifactRow) error {
			s.opts.Progress.Add(1)
			x := c.suspect(r)
			known := byKey[x.key]
			if known == nil {
				if len(byKey) == maxSuspects {
					return nil
				}
				x.code, x.digest, known = c.code, digestOfRow(r), &x
				byKey[x.key] = known
				all = append(all, known)
			}
			known.victimCount++
			if len(known.artifacts) < maxVictims {
				known.artifacts = append(known.artifacts, r)
			}
			return nil
		}, s.scope.args()...)
		if err != nil {
			return nil, fmt.Errorf("check the database for %s: %w", c.code.Name(), err)
		}
	}
	return all, nil
}
