package target

import (
	"slices"
	"strings"

	"github.com/harbordb/harbordb/internal/fault"
)

// Choose finds the database beside another that a user wants dropped: by its
// name or, where there is one alone, without. What a restore is filling, and
// what one that was killed left, are not for the user to choose.
func Choose(list []Beside, database, name string) (Beside, error) {
	list = slices.DeleteFunc(slices.Clone(list), func(b Beside) bool { return b.Kind == Loading || b.Kind == Dead })
	var names []string
	for _, b := range list {
		if b.Name == name {
			return b, nil
		}
		names = append(names, b.Name)
	}
	switch {
	case len(list) == 0:
		return Beside{}, fault.Refusedf("nothing was set aside beside database %s", database)
	case name != "":
		return Beside{}, fault.Usagef("%s was not set aside by a restore of %s", name, database).
			WithHint("set aside: %s", strings.Join(names, ", "))
	case len(list) > 1:
		return Beside{}, fault.Usagef("%d databases were set aside beside %s", len(list), database).
			WithHint("name one of %s", strings.Join(names, ", "))
	}
	return list[0], nil
}
