package mysql

import (
	"crypto/sha256"
	"fmt"

	"github.com/harbordb/harbordb/backup/target"
)

// maxName is how many characters a name has in MySQL.
const maxName = 64

// naming cuts a long name so that the whole fits.
var naming target.Naming = func(name, end string) string {
	letters := []rune(name)
	return string(letters[:min(len(letters), maxName-len(end))]) + end
}

// lockName is the name of the user lock that says that somebody is at work on
// a database. Such a name has at most 64 characters.
func lockName(database string) string {
	return fmt.Sprintf("harbordb %x", sha256.Sum256([]byte(database)))[:48]
}
