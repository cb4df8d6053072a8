package orphans

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"
	"time"
)

// csvColumns are the columns of WriteCSV, which do not change meaning.
var csvColumns = []string{
	"kind", "code", "name", "severity", "project", "repository", "tag", "digest", "bytes", "since",
	"victim_project", "victim_repository", "victim_digest", "victim_tags", "victim_pull_time",
	"detail", "keys", "way_out",
}

// WriteCSV writes the report for a spreadsheet: one line for each victim of a
// finding (or one for a finding without), and one for each piece of waste. The
// columns are those of the JSON; lists are joined by blanks, steps by "; ",
// times are RFC 3339 in UTC.
func (r *Report) WriteCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	if err := out.Write(csvColumns); err != nil {
		return err
	}
	for _, f := range r.Findings {
		victims := f.Victims
		if len(victims) == 0 {
			victims = []Victim{{}}
		}
		for _, v := range victims {
			if err := out.Write(f.csvLine(v)); err != nil {
				return err
			}
		}
	}
	for _, sum := range r.Waste {
		for _, item := range sum.Items {
			if err := out.Write(sum.csvLine(item)); err != nil {
				return err
			}
		}
	}
	out.Flush()
	return out.Error()
}

func (f Finding) csvLine(v Victim) []string {
	return []string{
		"finding", string(f.Code), f.Name, string(f.Severity), f.Project, f.Repository, f.Tag, f.Digest, "", "",
		v.Project, v.Repository, v.Digest, strings.Join(v.Tags, " "), csvTime(v.PullTime),
		f.Detail, strings.Join(f.Keys, " "), strings.Join(f.WayOut, "; "),
	}
}

func (w Waste) csvLine(item WasteItem) []string {
	project, rest := splitProject(item.Repository)
	return []string{
		"waste", string(w.Code), w.Name, string(Info), project, rest, "", "", strconv.FormatInt(item.Bytes, 10), csvTime(item.Since),
		"", "", "", "", "", item.Detail, item.Key, "",
	}
}

func csvTime(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
