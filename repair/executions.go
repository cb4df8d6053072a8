package repair

import (
	"context"
	"slices"
	"strings"

	"github.com/harbordb/harbordb/database"
	"github.com/harbordb/harbordb/internal/fault"
)

// vendorType is one kind of background work from 2.1 on, and what a stuck row
// of it does.
type vendorType struct {
	name   string
	since  string
	effect string
}

// scheduler is the vendor type of Harbor's cron table: its executions are open
// for as long as the schedule exists, and jobservice rebuilds Redis from them.
const scheduler = "SCHEDULER"

// vendorTypes are all but SCHEDULER and REPLICATION. (Harbor 2.15.2,
// src/jobservice/job/known_jobs.go and its callers.)
var vendorTypes = []vendorType{
	{"GARBAGE_COLLECTION", "2.2", "the interface shows a garbage collection that runs; a job of it that Redis still holds keeps the next one pending"},
	{"IMAGE_SCAN", "2.2", "the artifact cannot be scanned again"},
	{"SBOM", "2.11", "no other SBOM of the artifact can be made"},
	{"SCAN_ALL", "2.2", "a scan of all artifacts cannot be started by hand"},
	{"RETENTION", "2.2", "its executions cannot be deleted"},
	{"P2P_PREHEAT", "2.1", "the preheat policy cannot be deleted"},
	{"PURGE_AUDIT_LOG", "2.6", "the next purge stays pending"},
	{"SYSTEM_ARTIFACT_CLEANUP", "2.6", "system artifacts pile up"},
	{"SCAN_DATA_EXPORT", "2.6", "the export queue is blocked"},
	{"EXECUTION_SWEEP", "2.8", "old executions pile up"},
	{"WEBHOOK", "2.8", "the webhook policy cannot be deleted"},
	{"SLACK", "2.8", "the webhook policy cannot be deleted"},
	{"AUDIT_LOGS_GDPR_COMPLIANT", "2.10", "the next run stays pending"},
}

// VendorTypes lists the types that PlanExecutions takes.
func VendorTypes() []string {
	list := make([]string, len(vendorTypes))
	for i, t := range vendorTypes {
		list[i] = t.name
	}
	return list
}

// ParseVendorType returns the type that a person names, in any case, with
// dashes or underscores.
func ParseVendorType(s string) (string, error) {
	name := strings.ToUpper(strings.ReplaceAll(strings.TrimSpace(s), "-", "_"))
	switch {
	case name == scheduler:
		return "", fault.Refusedf("SCHEDULER rows are Harbor's cron table: they are open for as long as a schedule exists, and nothing of them is stuck").
			WithHint("to end a schedule, remove it in the interface")
	case name == replicationType:
		return "", fault.Usagef("replication has a command of its own").WithHint("harbordb repair replication --policy ID or --all")
	case slices.Contains(VendorTypes(), name):
		return name, nil
	}
	return "", fault.Usagef("%q is not a type of execution", s).WithHint("the types are %s", strings.Join(VendorTypes(), ", "))
}

// PlanExecutions finds stuck executions and tasks of vendor types other than
// replication and plans to finish them. The types are as ParseVendorType
// returns them.
func PlanExecutions(ctx context.Context, db *database.DB, types []string, o Options) (*Plan, error) {
	if len(types) == 0 {
		return nil, fault.Usagef("no type of execution is named").WithHint("--type takes %s", strings.Join(VendorTypes(), ", "))
	}
	for _, name := range types {
		if !slices.Contains(VendorTypes(), name) {
			return nil, fault.Usagef("%q is not a type of execution", name)
		}
	}
	return planOf(ctx, db, Executions, o, func(p *planner) error { return p.planExecutions(ctx, types) })
}

func (p *planner) planExecutions(ctx context.Context, types []string) error {
	if err := p.checkTypes(types); err != nil {
		return err
	}
	p.plan.Scope = "executions of " + strings.Join(types, ", ")
	z, release := utc, "Harbor 2.2 and later"
	if !p.tables.modern() {
		z, release = local, "Harbor 2.1"
	}
	if err := p.begin(ctx, release, z, newWords, Stopped); err != nil {
		return err
	}
	if err := p.planTypes(ctx, types); err != nil {
		return err
	}
	p.adviseExecutions(types)
	return nil
}

// checkTypes refuses types that this release keeps in other tables, or not at
// all.
func (p *planner) checkTypes(types []string) error {
	if p.tables.executions == nil {
		return fault.Refusedf("this Harbor is older than 2.1 and has no executions of %s", strings.Join(types, ", ")).
			WithHint("up to 2.1 a stuck row of these kinds blocks nothing for more than two hours; replication has a command of its own")
	}
	if p.tables.modern() {
		return nil
	}
	for _, name := range types {
		if name != "P2P_PREHEAT" {
			return fault.Refusedf("this is Harbor 2.1, which has executions of P2P_PREHEAT alone; %s came later", name)
		}
	}
	return nil
}
