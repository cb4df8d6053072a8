package repair

import (
	"fmt"
	"io"
	"regexp"
	"time"
)

// ID names a repair in the journal: its UTC time by the server's clock, to the
// millisecond because a person may make two in a second, and six random hex
// digits, such as 20261121T023000.250Z-3f9a1c. IDs sort by time as text.
type ID string

const idTime = "20060102T150405.000Z"

var idForm = regexp.MustCompile(`^[0-9]{8}T[0-9]{6}\.[0-9]{3}Z-[0-9a-f]{6}$`)

func newID(made time.Time, random io.Reader) (ID, error) {
	var b [3]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", fmt.Errorf("id for the repair: %w", err)
	}
	return ID(fmt.Sprintf("%s-%x", made.UTC().Format(idTime), b)), nil
}
