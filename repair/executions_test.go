package repair_test

import (
	"fmt"
	"testing"

	"github.com/harbordb/harbordb/repair"
)

// eachVersion runs a test on the lowest and the highest schema version of a
// generation, and on those between them that changed its tables.
func eachVersion(t *testing.T, versions []int, script string, each func(t *testing.T, h *harbor)) {
	for _, version := range versions {
		t.Run(fmt.Sprintf("schema %d", version), func(t *testing.T) {
			each(t, postgres(t, version, fixture(t, script)))
		})
	}
}

func TestExecutionsOf18OfOnePolicyAreStoppedWithTheirTasksCounted(t *testing.T) {
	eachVersion(t, []int{4, 10, 41}, "executions18.sql", func(t *testing.T, h *harbor) {
		h.requireRepair(func() *repair.Plan { return h.planReplication("8", repair.Options{}) }, 0, fixture(t, "executions18.one.txt"), 8)
	})
}

func TestExecutionsOf22OfOnePolicyAreStoppedWithTheirTasks(t *testing.T) {
	eachVersion(t, []int{50, 51, 82, 111, 180, 190}, "executions22.sql", func(t *testing.T, h *harbor) {
		h.requireRepair(func() *repair.Plan { return h.planReplication("8", repair.Options{}) }, 0, fixture(t, "executions22.one.txt"), 8)
	})
}

func TestExecutionsOfAllPoliciesAreRepairedButTheYoungOnes(t *testing.T) {
	for _, c := range []struct {
		name, script string
		version      int
		alone        int
		want         string
	}{
		{"1.8 to 2.1", "executions18.sql", 41, 3, "executions18.all.txt"},
		{"2.2", "executions22.sql", 50, 3, "executions22.all.txt"},
		{"2.3 and later", "executions22.sql", 180, 3, "executions22.all.txt"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := postgres(t, c.version, fixture(t, c.script))
			options := repair.Options{OlderThan: repair.Day, As: repair.Failed}
			h.requireRepair(func() *repair.Plan {
				p := h.planReplication("", options)
				if len(p.LeftAlone) != c.alone {
					t.Fatalf("left alone: %+v", p.LeftAlone)
				}
				return p
			}, 0, fixture(t, c.want), 9, 77)
		})
	}
}

func TestExecutionsOfOtherKindsAreRepairedByType(t *testing.T) {
	for _, c := range []struct {
		types []string
		want  string
	}{
		{[]string{"GARBAGE_COLLECTION"}, `
execution 21 end_time: NULL → now
execution 21 revision: 1 → 2
execution 21 status: Running → Stopped
execution 21 update_time: 2023-03-01 10:00:00 → now
task 21 end_time: NULL → now
task 21 status: Running → Stopped
task 21 status_code: 2 → 3
task 21 update_time: 2023-03-01 10:00:00 → now
`},
		{[]string{"IMAGE_SCAN", "SCAN_ALL"}, `
execution 22 end_time: NULL → now
execution 22 revision: 1 → 2
execution 22 status: Running → Stopped
execution 22 update_time: 2023-03-01 10:00:00 → now
execution 23 end_time: NULL → now
execution 23 revision: 1 → 2
execution 23 status: Running → Stopped
execution 23 update_time: 2023-03-01 10:00:00 → now
task 22 end_time: NULL → now
task 22 status: Running → Stopped
task 22 status_code: 2 → 3
task 22 update_time: 2023-03-01 10:00:00 → now
task 23 end_time: NULL → now
task 23 status: Pending → Stopped
task 23 status_code: 0 → 3
task 23 update_time: 2023-03-01 10:00:00 → now
`},
	} {
		t.Run(c.types[0], func(t *testing.T) {
			h := postgres(t, 180, fixture(t, "executions22.sql"))
			h.requireRepair(func() *repair.Plan { return h.planExecutions(repair.Options{OlderThan: repair.Day}, c.types...) }, 0, c.want)
		})
	}
}
