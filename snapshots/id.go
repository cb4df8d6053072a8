package snapshots

import (
	"fmt"
	"io"
	"regexp"
	"time"
)

// ID names a snapshot: its UTC time and six random hex digits, such as
// 20261121T023000Z-3f9a1c. IDs sort by time as text.
type ID string

const idTime = "20060102T150405Z"

var idForm = regexp.MustCompile(`^[0-9]{8}T[0-9]{6}Z-[0-9a-f]{6}$`)

// NewID returns the ID for a snapshot begun at now, with randomness from
// random.
func NewID(now time.Time, random io.Reader) (ID, error) {
	var b [3]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", fmt.Errorf("new snapshot id: %w", err)
	}
	return ID(fmt.Sprintf("%s-%x", now.UTC().Format(idTime), b)), nil
}

// ParseID returns s as an ID if it has the form of one.
func ParseID(s string) (ID, error) {
	if !idForm.MatchString(s) {
		return "", fmt.Errorf("%q is not a snapshot id", s)
	}
	if _, err := time.Parse(idTime, s[:16]); err != nil {
		return "", fmt.Errorf("%q is not a snapshot id: %w", s, err)
	}
	return ID(s), nil
}

// second is the time in an ID, as text that sorts.
func (id ID) second() string { return string(id)[:len(idTime)] }
