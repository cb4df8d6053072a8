package target_test

import (
	"testing"
	"time"

	"github.com/harbordb/harbordb/backup/target"
	"github.com/harbordb/harbordb/internal/fault"
)

var naming = target.Naming(func(name, end string) string { return name + end })

func second(n int) time.Time { return time.Date(2026, 11, 21, 2, 30, n, 5000, time.UTC) }

// A restore never gets a time before one that a name bears, so that the
// latest name is the latest restore.
func TestFreeTimeIsAfterAllNames(t *testing.T) {
	names := []string{"registry", "registry_before_20261121t023010z", "other_drill_20261121t023007z", "x_before_99999999t999999z"}
	for now, want := range map[int]int{3: 11, 10: 11, 11: 11, 30: 30} {
		if got := target.FreeTime(second(now), names); !got.Equal(second(want).Truncate(time.Second)) {
			t.Errorf("at %d: %v", now, got)
		}
	}
}

// A name that was chosen is not used any more when a rollback would take
// another for the latest.
func TestCheckAside(t *testing.T) {
	aside := naming.Name("registry", target.AsideMark, second(10))
	for name, forbids := range map[string]bool{
		naming.Name("registry", target.AsideMark, second(11)):   true,
		naming.Name("registry", target.AsideMark, second(9)):    false,
		naming.Name("registry", target.LoadMark, second(11)):    false,
		naming.Name("registry", target.LoadMark, second(10)):    false,
		naming.Name("notary", target.AsideMark, second(11)):     false,
		naming.Name("notary", target.AsideMark, second(10)):     true,
		naming.Name("registry_2", target.AsideMark, second(12)): false,
		"registry": false,
	} {
		err := naming.CheckAside([]string{"postgres", name}, "registry", aside)
		if (fault.KindOf(err) == fault.Refused) != forbids {
			t.Errorf("%s: %v", name, err)
		}
	}
}
