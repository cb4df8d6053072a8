package schema

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/harbordb/harbordb/database"
)

// Bundled is what the release's own database image expects to find in its
// data volume, and what it would do with this server's folder.
type Bundled struct {
	PostgreSQL string `json:"postgresql"` // major of the image, such as "15"
	// Folders are those below <data_volume>/database that the image accepts,
	// the one it runs on first; "." is the volume's top, as up to 9.6.
	Folders []string `json:"folders"`
	// Here is the major of the server that was asked.
	Here string `json:"here"`
	// InUse is true where that server runs on a folder of Harbor's image;
	// false where it does not, or where the role may not see its folder.
	InUse bool `json:"in_use"`
	// Accepts is true where the image would run on, or convert, a folder of
	// this server's major.
	Accepts bool `json:"accepts"`
	// Otherwise says what the image does with any other folder, Path the
	// releases to stop at on the way; both empty where Accepts is true.
	Otherwise string   `json:"otherwise,omitempty"`
	Path      []string `json:"path,omitempty"`
}

// folderOf is the data folder of a major: 9.6 lay at the volume's top.
func folderOf(major int) string {
	if major == 9 {
		return "."
	}
	return "pg" + strconv.Itoa(major)
}

// imageFolder is the data directory inside Harbor's database image.
var imageFolder = regexp.MustCompile(`^/var/lib/postgresql/data/pg\d+/?$|^/var/lib/postgresql/data/?$`)

// bundledFor compares what a release's image expects with the server.
func bundledFor(ctx context.Context, q database.Querier, server database.Server, target Release) (*Bundled, error) {
	if target.PostgreSQL == 0 {
		return nil, nil
	}
	var folder string
	err := q.QueryRowContext(ctx, `select coalesce((select setting from pg_catalog.pg_settings where name = 'data_directory'), '')`).Scan(&folder)
	if err != nil {
		return nil, fmt.Errorf("reading the server's data directory: %w", err)
	}
	major := server.Major()
	b := &Bundled{
		PostgreSQL: majorName(target.PostgreSQL),
		Folders:    []string{folderOf(target.PostgreSQL)},
		Here:       majorName(major),
		InUse:      imageFolder.MatchString(folder) && strings.Contains(folder, "/pg") == (major != 9),
		Accepts:    major == target.PostgreSQL || major == target.UpgradesFrom,
	}
	if target.UpgradesFrom > 0 {
		b.Folders = append(b.Folders, folderOf(target.UpgradesFrom))
	}
	if !b.Accepts {
		b.Otherwise, b.Path = target.otherFolder(), stops(major, target)
	}
	return b, nil
}

// otherFolder says what the release's database image does when it finds none
// of its folders. Source: make/photon/db/docker-entrypoint.sh of the tags.
func (r Release) otherFolder() string {
	switch {
	case r.PostgreSQL == 9:
		return "the image stops at once, again and again: it wants an empty volume or files of 9.6 at its top"
	case !r.since("2.7.0"):
		return "the image stops with \"incorrect data\""
	}
	return "the image makes a new, empty database without a word, and Harbor starts empty"
}

// stops names the releases to pass through so that each image on the way
// finds a folder that it converts; nil where there is no way, as for a
// downgrade.
func stops(from int, target Release) []string {
	var path []string
	for major := from; major != target.PostgreSQL && major != target.UpgradesFrom; {
		var line []Release
		for _, r := range postgresReleases {
			if r.UpgradesFrom == major && r.since("2.0.0") && r.Compare(target) <= 0 {
				line = append(line, r)
			}
		}
		if len(line) == 0 {
			return nil
		}
		next := line[0].PostgreSQL
		path = append(path, fmt.Sprintf("one of %s – %s (%s to %s)", line[0], line[len(line)-1], majorName(major), majorName(next)))
		major = next
	}
	return path
}
