package doctor

import (
	"regexp"
	"strings"
)

// knownLine is a line whose meaning is known.
type knownLine struct {
	id        string
	key       string         // a part of every match, squeezed: to pass by quickly
	form      *regexp.Regexp // matched against squeezed text
	not       *regexp.Regexp // what makes it another line; nil for nothing
	level     Level
	certainty Certainty
	means     string
	next      string
}

// count returns how often the line is in squeezed text.
func (k knownLine) count(text string) int {
	if !strings.Contains(text, k.key) || k.not != nil && k.not.MatchString(text) {
		return 0
	}
	return len(k.form.FindAllStringIndex(text, -1))
}

// squeezed compiles a pattern that is written as people read the line. It
// must hold no class that is written with a capital, such as \S.
func squeezed(pattern string) *regexp.Regexp {
	return regexp.MustCompile(strings.ToLower(strings.Join(strings.Fields(pattern), "")))
}

// starts is how a core that cannot migrate ends, in every release.
const starts = `(?:Failed to upgrade schema, error: |failed to initialize database: |failed to initialize the system: |failed to migrate: |failed to migrate the database, error: )`

const (
	nextSchema  = "harbordb schema status, then harbordb repair schema"
	nextOrphans = "harbordb orphans scan"
	nextReplica = "harbordb repair replication --all; stop jobservice first"
)

// knownLines are the lines of Harbor's components that operators have asked
// about. Patterns are regular expressions; blanks, quotes and case do not
// count.
var knownLines = []knownLine{
	// The database's version.
	{"downgrade", "filedoesnotexist", squeezed(starts + `(?:no migration found for version \d+.*)?file does not exist`), nil, Broken, Certain,
		"core does not know the version of the database: it was migrated by a later release, or the row says a version that this release lacks. Harbor has no way back by itself",
		"harbordb schema check --to the release in use: it names the snapshots that fit; harbordb schema status, if the row was edited"},
	{"downgrade", "nomigrationfoundforversion", squeezed(`error: no migration found for version \d+`), squeezed(starts), Broken, Certain,
		"core does not know the version of the database: it was migrated by a later release, or the row says a version that this release lacks. Harbor has no way back by itself",
		"harbordb schema check --to the release in use: it names the snapshots that fit; harbordb schema status, if the row was edited"},
	{"dirty", "dirtydatabaseversion", squeezed(`Dirty database version -?\d+\. Fix and force version`), nil, Broken, Certain,
		"a migration has failed or was cut off; only core's first failing start has logged why", nextSchema},
	{"migration-lock", "timeout:cantacquiredatabaselock", squeezed(`timeout: cant acquire database lock`), nil, Broken, Certain,
		"another session holds the migration lock: another core that migrates, or one that was killed and whose session lives on",
		"harbordb schema status names the session"},
	{"too-old", "pleaseupgradetoversion1", squeezed(`please upgrade to version 1\.(?:9|10) first`), nil, Broken, Certain,
		"the database is too old for this release, which wants one of 1.9 or 1.10 before", "upgrade to v1.10.19, start it once, then go on; harbordb schema check --to it"},
	{"migration-again", "alreadyexists", squeezed(`migration failed.*details:.*already exists`), nil, Broken, Likely,
		"a migration was run a second time: the version row was edited, emptied or is a lie", nextSchema},
	{"migration-failed", "migrationfailed", squeezed(`migration failed(?: in line \d+)?:`), squeezed(`details:.*already exists`), Broken, Certain,
		"a migration failed on this data and was rolled back; the version row is dirty now",
		"harbordb repair schema, then harbordb schema check --to the release: it names the offending rows"},
	{"data-migrations", "thereshouldbeonlyonerecord", squeezed(`there should be only one record in the table data_migrations`), nil, Broken, Certain,
		"table data_migrations has several rows", "harbordb doctor"},
	{"quota-migration", "quotamigrationerror", squeezed(`quota migration error,`), nil, Broken, Certain,
		"core of 1.9 or 1.10 could not fill in the quotas of all projects, which it does as it first starts: it stops",
		"harbordb doctor shows how far it got; see that core reaches the registry, and start it again"},
	// The bundled database.
	{"database-folder", "incorrectdata:", squeezed(`incorrect data: `), nil, Broken, Certain,
		"the database image found a data folder of a PostgreSQL that it does not know", "harbordb schema check --to the release: which folders its image takes, and the way there"},
	{"database-folder", "isnotsupportedinthecurrentharborrelease", squeezed(`Upgrading from PostgreSQL [\d.]+ to PostgreSQL \d+ is not supported in the current Harbor release`), nil, Broken, Certain,
		"the database image found a data folder of a PostgreSQL that it does not know", "harbordb schema check --to the release: which folders its image takes, and the way there"},
	{"database-new", "initdb,dbversion:", squeezed(`init DB, DB version: ?\d+`), nil, Trouble, Possible,
		"the database image has made a new, empty database. On a first installation that is right; after a change of release it means that the folder with the data is one that this image does not know, and Harbor starts empty",
		"look for pg13, pg14, pg15 or pg18 in <data_volume>/database; harbordb schema check --to the release"},
	// Rows and sequences.
	{"sequence-behind", "duplicatekeyvalueviolatesuniqueconstraint", squeezed(`duplicate key value violates unique constraint \w+_pkey`), nil, Broken, Likely,
		"a sequence stands behind the rows that it numbers, as after a load without the sequences", "harbordb doctor names the sequences"},
	{"numbers-used-up", "reachedmaximumvalueofsequence", squeezed(`nextval: reached maximum value of sequence`), nil, Broken, Certain,
		"the numbers of a table are used up", "harbordb doctor names it"},
	{"numbers-used-up", "integeroutofrange", squeezed(`(?:pq|ERROR): integer out of range`), nil, Broken, Likely,
		"the numbers of a table are used up", "harbordb doctor names it"},
	{"escape", "unsupportedunicodeescapesequence", squeezed(`unsupported Unicode escape sequence`), nil, Broken, Certain,
		"a row holds the escape of a character that JSON with an index refuses", "harbordb schema check --to the release names the rows"},
	{"quota-missing", "notfoundfor(project,", squeezed(`quota (?:usage )?not found for \(project, \d+\)`), nil, Broken, Certain,
		"a project has no quota row", "harbordb doctor names the projects; POST /api/internal/syncquota makes the rows"},
	{"scan-schedules", "foundmorethanonescheduledscanalljob", squeezed(`found more than one scheduled scan all job`), nil, Broken, Certain,
		"the scan of all images has several schedules", "harbordb doctor names them"},
	{"sweep", "violatesforeignkeyconstraint", squeezed(`update or delete on table execution violates foreign key constraint`), nil, Trouble, Certain,
		"the daily sweep met executions that have ended with tasks that have not", "harbordb doctor, then harbordb repair executions"},
	// Replication and jobs.
	{"policy-blocked", "pending", squeezed(`have pending/running/retrying status|has running/retrying/pending jobs, can not be deleted`), nil, Trouble, Certain,
		"replication jobs are still open in the database, so that their policy cannot be deleted; jobservice may have lost them long ago",
		"harbordb repair replication --policy ID; stop jobservice first"},
	{"policy-blocked", "hasrunningexecutions,cannotbedeleted", squeezed(`the policy \d+ has running executions, can not be deleted`), nil, Trouble, Certain,
		"replications are still open in the database, so that their policy cannot be deleted; jobservice may have lost them long ago",
		"harbordb repair replication --policy ID; stop jobservice first"},
	{"policy-blocked", "infinalstatus,stopthe", squeezed(`arent in final status, stop the (?:execution|tasks) first`), nil, Trouble, Certain,
		"executions or tasks are still open in the database; jobservice may have lost them long ago", nextReplica + ", or harbordb repair executions --type TYPE"},
	{"preheat-blocked", "isrunning,stopitandretry", squeezed(`execution \d+ under the policy .* is running, stop it and retry`), nil, Trouble, Certain,
		"a preheat execution is still open in the database", "harbordb repair executions --type P2P_PREHEAT"},
	{"replication-skipped", "activereplicationstillinprogress", squeezed(`Execution skipped: active replication still in progress`), nil, Trouble, Likely,
		"a policy runs one replication at a time, and one is open; perhaps jobservice has lost it long ago", nextReplica},
	{"scan-all-blocked", "previousscanalljob", squeezed(`a previous scan all job aleady exits, its status is`), nil, Trouble, Likely,
		"a scan of all images is still open in the database; jobservice may have lost it long ago", "harbordb repair executions --type SCAN_ALL"},
	{"schedule-lost", "foundfor", squeezed(`no (?:execution found for schedule: \w+:-?\d+|task found for execution:)`), nil, Broken, Certain,
		"a schedule has no cron entry, so that it does not fire", "harbordb doctor names it; save the schedule again in the UI"},
	{"replication-1.9", "listtagsforrepo", squeezed(`List tags for repo .* error: http error: code 500`), nil, Broken, Likely,
		"releases below 1.9 and 1.9 do not replicate with each other; repositories of many tags fail at once. Not proven",
		"upgrade both sides to releases of 1.9 or later, or push instead of pull; harbordb status names the release here"},
	{"replication-1.9", "fetchimageserrorwhencollecttags", squeezed(`FetchImages error when collect tags for repos`), nil, Broken, Likely,
		"releases below 1.9 and 1.9 do not replicate with each other; repositories of many tags fail at once. Not proven",
		"upgrade both sides to releases of 1.9 or later, or push instead of pull; harbordb status names the release here"},
	{"tag-race", "failed404tagunknown", squeezed(`pull manifest from local registry failed404 tag unknown`), nil, Trouble, Likely,
		"the job was faster than the tag's write, a race that is over after some 50 ms", "run the replication again; if the tag still fails, " + nextOrphans},
	// Storage.
	{"broken-tag", "_manifests/tags/", squeezed(`path(?: not found)?:.{0,400}?/_manifests/tags/[^/]+/current/link`), nil, Broken, Certain,
		"the link of a tag is gone from the storage: it blocks other tags of its repository from being deleted", nextOrphans + " finds every such link and what it blocks"},
	{"broken-manifest", "_manifests/revisions/", squeezed(`path not found:.{0,400}?/_manifests/revisions/[^/]+/[0-9a-f]+/link`), nil, Broken, Likely,
		"a manifest is gone from the storage", nextOrphans},
	{"missing-blob", "/blobs/", squeezed(`path not found:.{0,400}?/blobs/sha256/[0-9a-f]{2}/[0-9a-f]+/data`), nil, Broken, Likely,
		"a blob is gone from the storage", nextOrphans},
	{"upload-lost", "_uploads/", squeezed(`path not found:.{0,400}?/_uploads/[^/]+/data`), nil, Trouble, Likely,
		"an upload was not listed yet when it was looked for: the client pushes again. Such uploads are no damage", nextOrphans + " counts stale uploads apart"},
	{"storage-walk", "dowalk", squeezed(`s3-aws\.\(\*driver\)\.doWalk|s3aws.*doWalk`), nil, Broken, Likely,
		"the registry's S3 driver stumbles over a listing without KeyCount, as Ceph RGW gives it: garbage collection reaches nothing", "use a registry whose driver copes, or the swift driver; " + nextOrphans + " works with RGW"},
	{"storage-token", "contentlength=", squeezed(`transport connection broken: http: ContentLength=\d+ with Body length 0`), nil, Trouble, Likely,
		"the storage's token had expired in the middle of a request, and the client sent the used-up body again; the push is tried again", "none; it comes from the registry's Swift driver with Ceph RGW"},
	{"certificate", "certificate", squeezed(`issuers certificate expired|x509: certificate has expired or is not yet valid`), nil, Broken, Likely,
		"a certificate of the chain has expired: the server's own, or the root in the client's file although the server's is fine",
		"look at the dates of both; a renewed root beside the old one cures it. harbordb takes it with --ca-file"},
	// Harmless.
	{"admiral-url", "admiral_url", squeezed(`failed to get key admiral_url, error: the configure value is not set`), nil, Harmless, Certain,
		"the setting is for vRealize alone, and is not set elsewhere", "nothing"},
	{"timezone", "detectdbtimezone", squeezed(`Detect DB timezone:.{0,40}?open /usr/local/go/lib/time/zoneinfo\.zip: no such file or directory`), nil, Harmless, Certain,
		"core looks for a list of time zones that its image does not have, and goes on with UTC", "nothing"},
	{"capacity", "isnotfound,willreturnzerovalueofcapacity", squeezed(`The path.{0,200}? is not found, will return zero value of capacity`), nil, Harmless, Certain,
		"core cannot see the data volume, as in Kubernetes, and shows no capacity", "nothing"},
	{"not-logged-in", "/users/current", squeezed(`/users/current(?:http/[12](?:\.[01])?)?.{0,3}?401|401.{0,60}?/users/current`), nil, Harmless, Certain,
		"the login page asks who is logged in, and nobody is yet", "nothing"},
}
