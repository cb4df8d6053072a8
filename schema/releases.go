package schema

import (
	"cmp"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/fault"
)

// Release is one released Harbor: what it ships and what it expects of the
// database. Sources are the tags of goharbor/harbor.
type Release struct {
	Name string `json:"release"`        // without the leading v, such as "2.11.0"
	Date string `json:"date,omitempty"` // of the tag, YYYY-MM-DD; "" where it is not known
	// Max is the highest migration shipped; 0 up to 1.5.
	Max Version `json:"schema_version,omitempty"`
	// Alembic is the value in alembic_version up to 1.5; "" from 1.6 on.
	Alembic string `json:"alembic_version,omitempty"`
	// PostgreSQL is the major of the bundled server (9 is 9.6), UpgradesFrom
	// the older major whose data folder its image converts (0: none).
	PostgreSQL   int `json:"postgresql,omitempty"`
	UpgradesFrom int `json:"upgrades_from,omitempty"`
	// Bundled names the server of the MySQL era.
	Bundled string `json:"bundled,omitempty"`
	Migrate string `json:"golang_migrate,omitempty"` // version of golang-migrate
	Driver  string `json:"driver,omitempty"`         // its database driver: postgres, pgx or pgx5
	// folder are the migrations of a release that was described by its
	// folder; nil for the releases that are known here.
	folder []Migration
}

// String returns the name with the v that Harbor's tags have.
func (r Release) String() string {
	if !releaseForm.MatchString(r.Name) {
		return r.Name
	}
	return "v" + r.Name
}

// Engine returns what the release keeps its data in.
func (r Release) Engine() database.Engine {
	if r.Alembic != "" {
		return database.MySQL
	}
	return database.PostgreSQL
}

// Server names the bundled database server, such as "PostgreSQL 9.6".
func (r Release) Server() string {
	switch {
	case r.Bundled != "":
		return r.Bundled
	case r.PostgreSQL == 0:
		return ""
	}
	return "PostgreSQL " + majorName(r.PostgreSQL)
}

// majorName writes a PostgreSQL major as people do: 9 is 9.6, the only 9.x
// that Harbor has used.
func majorName(major int) string {
	if major == 9 {
		return "9.6"
	}
	return strconv.Itoa(major)
}

// Migrations returns the migrations that the release ships, ascending; none
// up to 1.5.
func (r Release) Migrations() []Migration {
	if r.folder != nil {
		return slices.Clone(r.folder)
	}
	var list []Migration
	for _, m := range migrations {
		if m.Version <= r.Max && !(r.Name == "2.2.0" && m.Version == 41) {
			list = append(list, m)
		}
	}
	return list
}

// Ships reports whether the release has a migration with that number. A core
// refuses a database whose version it does not ship, be it newer or missing.
func (r Release) Ships(v Version) bool {
	return slices.ContainsFunc(r.Migrations(), func(m Migration) bool { return m.Version == v })
}

// Releases returns all releases from 1.1.0 to 2.15.2 in the order of their
// numbers. That is not the order of their dates: patches of an old line come
// out after newer lines.
func Releases() []Release {
	return append(slices.Clone(mysqlReleases), postgresReleases...)
}

// newestReleased is the highest version that a release ships.
func newestReleased() Version { return postgresReleases[len(postgresReleases)-1].Max }

// ReleasesAt returns the releases whose highest migration is v, ascending;
// none for a version that no release ends at.
func ReleasesAt(v Version) []Release {
	var list []Release
	for _, r := range postgresReleases {
		if r.Max == v {
			list = append(list, r)
		}
	}
	return list
}

// ReleasesAtAlembic returns the releases from 1.1.0 on that write value into
// alembic_version, ascending. The value cannot tell patch releases apart; the
// 1.6.0 that every PostgreSQL database carries for ever belongs to none.
func ReleasesAtAlembic(value string) []Release {
	var list []Release
	for _, r := range mysqlReleases {
		if r.Alembic == value {
			list = append(list, r)
		}
	}
	return list
}

// releaseForm is how people and Harbor itself write a release: v2.11.0,
// 2.11.0, 2.11, or with the commit that Harbor's own API adds,
// v2.11.0-6b7ecba1.
var releaseForm = regexp.MustCompile(`^[vV]?(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?(?:-[0-9a-f]{7,40})?$`)

// ParseRelease returns the release that s names. "2.11" means the newest
// patch release of that line. An unknown release is a usage fault that names
// the nearest known one.
func ParseRelease(s string) (Release, error) {
	m := releaseForm.FindStringSubmatch(strings.TrimSpace(s))
	if m == nil {
		return Release{}, fault.Usagef("%q is not a Harbor release", s).
			WithHint("releases are written like v2.11.0, and harbordb schema releases lists them; another one, such as a candidate, is described by its migration files: harbordb schema check --to NAME --migrations DIR")
	}
	want := [3]int{atoi(m[1]), atoi(m[2]), -1}
	if m[3] != "" {
		want[2] = atoi(m[3])
	}
	all := Releases()
	for _, r := range slices.Backward(all) {
		n := r.numbers()
		if n == want || want[2] < 0 && n[0] == want[0] && n[1] == want[1] {
			return r, nil
		}
	}
	near := nearest(all, want)
	f := fault.Usagef("there is no Harbor release %q that harbordb knows; the nearest is %s", s, near)
	if compareNumbers(want, all[len(all)-1].numbers()) > 0 {
		return Release{}, f.WithHint("describe a newer release by its migration files: harbordb schema check --to %s --migrations DIR", s)
	}
	return Release{}, f.WithHint("harbordb schema releases lists them all")
}

// nearest returns the release with the smallest distance to want, counted
// first in majors, then in lines, then in patches; of two equally near ones
// the older. Beyond both ends it is the end.
func nearest(all []Release, want [3]int) Release {
	if first := all[0]; compareNumbers(want, first.numbers()) < 0 {
		return first
	}
	if last := all[len(all)-1]; compareNumbers(want, last.numbers()) > 0 {
		return last
	}
	distance := func(r Release) [3]int {
		n := r.numbers()
		return [3]int{abs(n[0] - want[0]), abs(n[1] - want[1]), abs(n[2] - max(want[2], 0))}
	}
	return slices.MinFunc(all, func(a, b Release) int { return compareNumbers(distance(a), distance(b)) })
}

// numbers returns the three numbers of the name. What has none, such as main,
// is taken for newer than everything.
func (r Release) numbers() [3]int {
	if !releaseForm.MatchString(r.Name) {
		return [3]int{math.MaxInt32}
	}
	var n [3]int
	name, _, _ := strings.Cut(r.Name, "-")
	for i, s := range strings.SplitN(name, ".", 3) {
		n[i] = atoi(s)
	}
	return n
}

// Compare orders releases by their numbers.
func (r Release) Compare(o Release) int { return compareNumbers(r.numbers(), o.numbers()) }

// since reports whether the release is the named one or a later number.
func (r Release) since(name string) bool { return r.Compare(Release{Name: name}) >= 0 }

func compareNumbers(a, b [3]int) int { return slices.Compare(a[:], b[:]) }

// atoi reads digits that a pattern or the table of releases has vouched for.
func atoi(digits string) int {
	n, _ := strconv.Atoi(digits)
	return n
}

func abs(n int) int { return max(n, -n) }

// Span names a list of releases of one version for people: "v2.8.1" or
// "v2.8.1 – v2.8.6", and each line apart where there are several.
func Span(list []Release) string {
	var spans []string
	for len(list) > 0 {
		line := list[0].numbers()
		n := slices.IndexFunc(list, func(r Release) bool {
			return cmp.Or(cmp.Compare(r.numbers()[0], line[0]), cmp.Compare(r.numbers()[1], line[1])) != 0
		})
		if n < 0 {
			n = len(list)
		}
		spans = append(spans, span(list[:n]))
		list = list[n:]
	}
	return strings.Join(spans, ", ")
}

func span(line []Release) string {
	first, last := line[0], line[len(line)-1]
	if len(line) == 1 {
		return first.String()
	}
	return fmt.Sprintf("%s – %s", first, last)
}
