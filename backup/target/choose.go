package target

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/harbordb/harbordb/internal/fault"
)

// Concerning narrows what restores have made on a server to what concerns a
// database: what is beside it, and what the same restores made beside others.
// It comes oldest first, and of one restore with the database itself first.
func Concerning(all []Beside, database string) []Beside {
	times := map[time.Time]bool{}
	for _, b := range all {
		if b.Of == database {
			times[b.Time] = true
		}
	}
	list := []Beside{}
	for _, b := range all {
		if times[b.Time] {
			list = append(list, b)
		}
	}
	slices.SortFunc(list, func(a, b Beside) int {
		if c := a.Time.Compare(b.Time); c != 0 {
			return c
		}
		if (a.Of == database) != (b.Of == database) {
			return map[bool]int{true: -1, false: 1}[a.Of == database]
		}
		return cmp.Compare(a.Name, b.Name)
	})
	return list
}

// Choose finds what a user wants dropped of what Beside has listed for a
// database: by a name or, where only one restore has left something, without.
// The name of what was set aside of the database itself stands for all that
// was set aside with it, any other name for itself. Where only names databases,
// what is beside others stays. What a restore is filling, and what one that was
// killed left, are not for the user to choose.
func Choose(list []Beside, database, name string, only ...string) ([]Beside, error) {
	list = slices.DeleteFunc(slices.Clone(list), func(b Beside) bool {
		return b.Kind == Loading || b.Kind == Dead || len(only) > 0 && !slices.Contains(only, b.Of)
	})
	var names []string
	times := map[time.Time]bool{}
	for _, b := range list {
		switch {
		case b.Name == name && b.Of == database:
			return with(list, b), nil
		case b.Name == name:
			return []Beside{b}, nil
		}
		names = append(names, b.Name)
		times[b.Time] = true
	}
	switch {
	case len(list) == 0:
		return nil, fault.Refusedf("nothing was set aside beside database %s", database)
	case name != "":
		return nil, fault.Usagef("%s was not set aside by a restore of %s", name, database).
			WithHint("set aside: %s", strings.Join(names, ", "))
	case len(times) > 1:
		return nil, fault.Usagef("%d restores have set something aside beside %s", len(times), database).
			WithHint("name one of %s", strings.Join(names, ", "))
	}
	return list, nil
}

// with returns what was made with b.
func with(list []Beside, b Beside) []Beside {
	return slices.DeleteFunc(slices.Clone(list), func(o Beside) bool { return !o.Time.Equal(b.Time) || o.Kind != b.Kind })
}

// LastSetAside finds what the last restore of a database set aside: the
// database's own first, and with it what the same restore set aside of others.
// Where only names databases, all of them must have been set aside then, and no
// others are in the result. It refuses what would pass over a later restore of
// one of them. beside lists what is beside a database, as Server.Beside does.
func LastSetAside(ctx context.Context, beside func(context.Context, string) ([]Beside, error), database string, only ...string) ([]Beside, error) {
	list, err := beside(ctx, database)
	if err != nil {
		return nil, err
	}
	set, err := lastTogether(list, database, only)
	if err != nil {
		return nil, err
	}
	for _, b := range set[1:] {
		list, err := beside(ctx, b.Of)
		if err != nil {
			return nil, err
		}
		if last := newest(list, b.Of); !last.Time.Equal(b.Time) {
			return nil, fault.Refusedf("database %s was restored again after that, and %s set aside", b.Of, last.Name).
				WithHint("--databases names what goes back without it; harbordb restore --discard %s --databases %s drops what is in the way", last.Name, b.Of)
		}
	}
	return set, nil
}

// newest is what was set aside last of a database.
func newest(list []Beside, database string) (last Beside) {
	for _, b := range list {
		if b.Kind == SetAside && b.Of == database {
			last = b
		}
	}
	return last
}

func lastTogether(list []Beside, database string, only []string) ([]Beside, error) {
	last := newest(list, database)
	if last.Name == "" {
		return nil, fault.Refusedf("nothing was set aside beside database %s", database).
			WithHint("harbordb snapshots ls shows the snapshots that can be restored")
	}
	set := with(list, last)
	for _, name := range only {
		if !slices.ContainsFunc(set, func(b Beside) bool { return b.Of == name }) {
			return nil, fault.Refusedf("the restore that set %s aside set nothing aside of database %s", last.Name, name).
				WithHint("roll them back one by one, each with a --databases of its own")
		}
	}
	if len(only) > 0 {
		set = slices.DeleteFunc(set, func(b Beside) bool { return !slices.Contains(only, b.Of) })
	}
	return set, nil
}
