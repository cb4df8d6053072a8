package schema

import (
	"context"
	"fmt"

	"github.com/harbordb/harbordb/database"
)

// format is a form of data that changed without a migration: a release before
// it cannot read what one from it on has written.
type format struct {
	id      string
	changed string             // release that brought it, for people
	reads   func(Release) bool // whether a release understands the new form
	needs   string             // the column, as table.column
	query   string             // counts the rows in the new form
	symptom string
	wayOut  string
}

// formats that a later release writes and an earlier one does not read.
// Sources: src/common/utils/encrypt.go, src/pkg/scan, src/pkg/p2p of the tags.
var formats = []format{
	{
		"password-hash", "v2.15.2", func(r Release) bool { return r.since("2.15.2") }, "harbor_user.password_version",
		`select count(*) from {s}harbor_user where password_version = 'pbkdf2_sha256'`,
		"users whose password was set since cannot log in: the older core does not know pbkdf2_sha256",
		"set their passwords again there; for admin, empty salt and password so that core takes it from its environment",
	},
	{
		"scanner-credential", "v2.14.4 and v2.15.1", readsEncryptedCredentials, "scanner_registration.access_cred",
		`select count(*) from {s}scanner_registration where access_cred like '<enc-v1>%'`,
		"the older core sends the encrypted credential of scanners as it stands",
		"enter the credential of the scanner again there",
	},
	{
		"preheat-credential", "v2.14.4 and v2.15.1", readsEncryptedCredentials, "p2p_preheat_instance.auth_data",
		`select count(*) from {s}p2p_preheat_instance where auth_data like '<enc-v1>%'`,
		"the older core sends the encrypted credential of preheat instances as it stands",
		"enter the credential of the instance again there",
	},
}

// readsEncryptedCredentials: 2.15.0 came before the patch of the older line.
func readsEncryptedCredentials(r Release) bool {
	return r.since("2.14.4") && r.Name != "2.15.0"
}

// unreadable returns what the target would not understand in this database.
func unreadable(ctx context.Context, q database.Querier, rec Record, l live, target Release) ([]Finding, error) {
	var list []Finding
	for _, f := range formats {
		if f.reads(target) || !(obstacle{needs: []string{f.needs}}).canAsk(l) {
			continue
		}
		var n int
		if err := q.QueryRowContext(ctx, inSchema(rec, f.query)).Scan(&n); err != nil {
			return nil, fmt.Errorf("counting rows in a newer form in %s: %w", f.needs, explain(err))
		}
		if n > 0 {
			list = append(list, Finding{
				ID: f.id, Severity: Danger, Count: n,
				Text: fmt.Sprintf("%s hold a form that came with %s: %s", plural(n, "row of "+f.needs), f.changed, f.symptom), Fix: f.wayOut,
			})
		}
	}
	return list, nil
}

// wayBack says what going back from the target, once it has migrated, would
// meet.
func wayBack(target Release, at Mark) []string {
	var list []string
	older := at.Releases()
	if len(older) > 0 {
		last := older[len(older)-1]
		if o, err := last.Start(&Row{Version: target.Max}); err == nil && o.Refuses() {
			list = append(list, fmt.Sprintf("core of %s will not start any more: %q; the way back is the snapshot that is taken now: harbordb backup", last, o.Error))
		}
	}
	for _, f := range formats {
		if f.reads(target) && len(older) > 0 && !f.reads(older[0]) {
			list = append(list, fmt.Sprintf("from %s on: %s; %s", f.changed, f.symptom, f.wayOut))
		}
	}
	if len(older) > 0 && older[0].PostgreSQL != target.PostgreSQL && target.PostgreSQL > 0 {
		list = append(list, fmt.Sprintf("the bundled database of %s keeps its data in %s and removes the older folder; with what is then there, the image of %s: %s",
			target, folderOf(target.PostgreSQL), older[0], older[0].otherFolder()))
	}
	return list
}
