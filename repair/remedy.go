package repair

import (
	"errors"
	"fmt"

	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/fault"
)

// trouble is what a server's error means to a repair.
type trouble int

const (
	unknown  trouble = iota // no answer of the server: whatever was under way may have happened
	failed                  // the server said no, and the transaction is gone
	denied                  // the role may not do that
	readOnly                // nobody may write here
	locked                  // the wait for a lock was too long
	deadlock                // it was given up for somebody else's transaction
	keyless                 // rows cannot be locked one by one
)

// remedies are what a person can do about it.
var remedies = map[trouble]string{
	denied:   "connect as the role that owns Harbor's tables, the one that core uses",
	readOnly: "this server takes no writes, or none of this role (default_transaction_read_only): connect to the primary as the role that core uses",
	locked:   "somebody else holds a lock on these rows: stop jobservice and core, or wait longer with --lock-timeout",
	deadlock: "somebody else writes the same rows: stop jobservice and core, and run it again",
	keyless:  "without a primary key all rows would be locked at once; give the table its key back: primary key (id)",
}

// explain turns what the server said into a fault that says what to do. Other
// errors stay as they are.
func (d *dialect) explain(err error) error {
	remedy, ok := remedies[d.trouble(err)]
	if !ok {
		return err
	}
	return fault.Refusedf("%w", err).WithHint("%s", remedy)
}

// explainReading is explain for what only reads. A role that may not read has
// failed; it is not refused.
func explainReading(e database.Engine, err error) error {
	if d := dialects[e]; d.trouble(err) != denied {
		return d.explain(err)
	}
	return fault.Hint(err, "%s", remedies[denied])
}

// explain is the same after a change that did not take place.
func (c changeover) explain(err error) error {
	var f *fault.Error
	if _, ok := remedies[c.dialect().trouble(err)]; !ok && errors.As(err, &f) {
		return err // it says so itself
	}
	return c.dialect().explain(fmt.Errorf("nothing was changed: %w", err))
}
