// Package progress is how long work tells its caller how far it is.
//
// Library code reports; only cmd/harbordb draws. A reporter must never be
// asked for anything back: work does not depend on who listens.
package progress

// Unit is what a phase counts.
type Unit string

// Units that a phase may count.
const (
	Bytes   Unit = "bytes"
	Rows    Unit = "rows"
	Keys    Unit = "keys"
	Objects Unit = "objects"
)

// Reporter hears of long work. Both methods are safe for concurrent use and
// return quickly.
type Reporter interface {
	// Begin starts a phase and ends the one before it. A total of 0 means
	// that the total is not known.
	Begin(phase string, total int64, unit Unit)
	// Add says that n more units of the current phase are done. n may be
	// negative where work has to be repeated.
	Add(n int64)
}

// Discard is the reporter that nobody listens to.
var Discard Reporter = discard{}

type discard struct{}

func (discard) Begin(string, int64, Unit) {}
func (discard) Add(int64)                 {}
