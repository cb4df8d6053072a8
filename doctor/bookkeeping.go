package doctor

// bookkeepingChecks are about settings, accounts and the database itself.
var bookkeepingChecks = []check{
	{
		id: "data-migrations", severity: Error, from: 40, needs: []string{"data_migrations.version"},
		query:  `select count(*) || ' rows' from {s}data_migrations having count(*) <> 1`,
		text:   "data_migrations has not exactly one row",
		effect: "core of 2.1 to 2.8 stops with an error",
		fix:    "leave one row: version 30 if any artifact has extra_attrs, else 0",
	},
	{
		id: "read-only", severity: Warning, from: 1, to: 41, needs: []string{"properties.v", "admin_job.status"},
		query: `select 'properties read_only is true' from {s}properties where k = 'read_only' and lower(v) = 'true'
			and not exists (select from {s}admin_job where job_name like 'IMAGE_GC%' and not deleted and job_kind = 'Generic' and status in ('pending', 'scheduled', 'running'))`,
		text:   "Harbor is read-only, and no garbage collection is running",
		effect: readOnlyEffect,
		fix:    readOnlyFix,
	},
	{
		id: "read-only", severity: Warning, from: 50, needs: []string{"properties.v", "execution.status"},
		query: `select 'properties read_only is true' from {s}properties where k = 'read_only' and lower(v) = 'true'
			and not exists (select from {s}execution where vendor_type = 'GARBAGE_COLLECTION' and status = 'Running')`,
		text:   "Harbor is read-only, and no garbage collection is running",
		effect: readOnlyEffect,
		fix:    readOnlyFix,
	},
	{
		id: "admin", severity: Error, from: 1, needs: []string{"harbor_user.sysadmin_flag", "harbor_user.deleted"},
		query: `select case when u.user_id is null then 'user 1 is missing' when u.deleted then 'user 1 (' || coalesce(u.username, '') || ') is deleted'
				else 'user 1 (' || coalesce(u.username, '') || ') is no administrator' end
			from (select 1 as id) one left join {s}harbor_user u on u.user_id = one.id
			where u.user_id is null or u.deleted or not coalesce(u.sysadmin_flag, false)`,
		text:   "the built-in administrator is missing",
		effect: "nobody can log in as admin",
		fix:    "restore the row from a snapshot, or set deleted to false and sysadmin_flag to true",
	},
	{
		id: "password-hash", severity: Error, from: 11, to: 171, needs: []string{"harbor_user.password_version"},
		query: `select 'user ' || user_id || ' (' || coalesce(username, '') || '): ' || coalesce(password_version, 'none') from {s}harbor_user
			where password_version is null or password_version not in ('sha1', 'sha256') order by user_id`,
		text:   "passwords are stored in a way that this release does not know",
		effect: "these users cannot log in",
		fix:    "set their passwords again; for admin, empty salt and password so that core takes it from its environment",
	},
	{
		id: "password-hash", severity: Error, from: 180, needs: []string{"harbor_user.password_version"},
		query: `select 'user ' || user_id || ' (' || coalesce(username, '') || '): ' || coalesce(password_version, 'none') from {s}harbor_user
			where password_version is null or password_version not in ('sha1', 'sha256', 'pbkdf2_sha256') order by user_id`,
		text:   "passwords are stored in a way that this release does not know",
		effect: "these users cannot log in",
		fix:    "set their passwords again; for admin, empty salt and password so that core takes it from its environment",
	},
	{
		id: "encrypted-values", severity: Info, from: 4, needs: []string{"registry.access_secret", "oidc_user.secret", "properties.v"},
		query: `select n || ' in ' || place from (
			select count(*) as n, 'registry.access_secret' as place from {s}registry where access_secret like '<enc-v1>%'
			union all select count(*), 'oidc_user.secret' from {s}oidc_user where secret like '<enc-v1>%'
			union all select count(*), 'properties' from {s}properties where v like '<enc-v1>%') counted where n > 0`,
		text:   "values are encrypted with Harbor's secretkey",
		effect: "without the same key, replication, LDAP and OIDC fail after a restore",
		fix:    "keep a copy of the secretkey file (<data_volume>/secret/keys/secretkey) apart from the snapshots",
	},
	{
		id: "sequences", severity: Error, from: 1, ask: (*examination).sequencesBehind,
		text:   "sequences stand behind the rows that they number",
		effect: "new rows fail with duplicate key errors, such as of blob_pkey when an image is pushed",
		fix:    "set each of them to the highest number: select setval('SEQUENCE', (select max(COLUMN) from TABLE))",
	},
	{
		id: "numbers-running-out", severity: Warning, from: 1, ask: (*examination).sequencesNearTheirEnd,
		text:   numbersText,
		effect: numbersEffect,
		fix:    numbersFix,
	},
	{
		id: "scanner-default", severity: Warning, from: 15, needs: []string{"scanner_registration.is_default"},
		query: `select count(*) filter (where is_default) || ' default scanners of ' || count(*) from {s}scanner_registration
			having count(*) > 0 and count(*) filter (where is_default) <> 1`,
		text:   "there is not exactly one default scanner",
		effect: "images are not scanned, or by any one of them",
		fix:    "set one as default in Interrogation Services",
	},
	{
		id: "scanner-built-in", severity: Info, from: 15, needs: []string{"scanner_registration.immutable"},
		query:  `select 'none of ' || count(*) || ' scanners is built in' from {s}scanner_registration having count(*) > 0 and not bool_or(immutable)`,
		text:   "the built-in scanner is not registered",
		effect: "nothing, if Harbor was installed without Trivy",
		fix:    "core registers it as it starts, where it is installed",
	},
	{
		id: "schedule-twice", severity: Error, from: 40, needs: []string{"schedule.vendor_type", "schedule.vendor_id"},
		query: `select 'schedules ' || string_agg(id::text, ', ' order by id) || ': ' || vendor_type || ' ' || coalesce(max(vendor_id)::text, '') from {s}schedule
			where vendor_type = 'SCAN_ALL' or vendor_id is not null
			group by vendor_type, case when vendor_type = 'SCAN_ALL' then 0 else vendor_id end having count(*) > 1 order by min(id)`,
		text:   "one thing has several schedules",
		effect: "its page fails, and so does the upgrade to 2.2",
		fix:    "delete the older ones",
	},
	{
		id: "roles", severity: Error, from: 15, to: 31, needs: []string{"role.name"},
		query: `select 'role ' || w.id || ' is not ' || w.name || coalesce(' but ' || r.name, '') from (values (4, 'master'), (5, 'limitedGuest')) w(id, name)
			left join {s}role r on r.role_id = w.id where r.name is distinct from w.name order by w.id`,
		text:   "the numbers of roles are mixed up",
		effect: "members have the rights of another role",
		fix:    "an upgrade to 2.2 puts the numbers right; look the members over then",
	},
	{
		id: "roles", severity: Error, from: 40, needs: []string{"role.name"},
		query: `select 'role ' || w.id || ' is not ' || w.name || coalesce(' but ' || r.name, '') from (values (4, 'maintainer'), (5, 'limitedGuest')) w(id, name)
			left join {s}role r on r.role_id = w.id where r.name is distinct from w.name order by w.id`,
		text:   "the numbers of roles are mixed up",
		effect: "members have the rights of another role",
		fix:    "swap the numbers in table role, and look the members over",
	},
	{
		id: "empty-subiss", severity: Warning, from: 4, needs: []string{"oidc_user.subiss"},
		query:  `select 'oidc_user ' || id || ' of user ' || user_id from {s}oidc_user where subiss = '' order by id`,
		text:   "users of OIDC have no identity",
		effect: "their next login fails or finds somebody else's account",
		fix:    "start core of 2.4 or later once: it repairs them; before that, delete the rows and let them log in again",
	},
}

const (
	numbersText    = "numbers of four bytes are more than 80 % used up"
	numbersEffect  = "when they are, new rows fail with \"integer out of range\" or \"nextval: reached maximum value\""
	numbersFix     = "upgrade to a release with wider columns in time; a later one widens more of them"
	readOnlyEffect = "pushes and deletions are refused"
	readOnlyFix    = "switch it off in Configuration, System Settings, unless somebody means it: a garbage collection that did not end leaves it on"
)

// mysqlChecks are for the time before 1.6.
var mysqlChecks = []check{
	{
		id: "read-only", severity: Warning, engine: "mysql", needs: []string{"properties.v"},
		query:  "select 'properties read_only is true' as found from properties where k = 'read_only' and v = 'true'",
		text:   "Harbor is read-only",
		effect: readOnlyEffect,
		fix:    readOnlyFix,
	},
	{
		id: "admin", severity: Error, engine: "mysql", needs: []string{"user.sysadmin_flag"},
		query: "select concat('user 1: ', coalesce(u.username, 'missing')) as found from (select 1 as id) one left join `user` u on u.user_id = one.id " +
			"where u.user_id is null or u.deleted <> 0 or u.sysadmin_flag <> 1",
		text:   "the built-in administrator is missing, deleted or no administrator",
		effect: "nobody can log in as admin",
		fix:    "restore the row from a dump, or set deleted to 0 and sysadmin_flag to 1",
	},
	{
		id: "numbers-running-out", severity: Warning, engine: "mysql",
		query: "select concat(table_name, ' is at ', auto_increment, ' of 2147483647') as found from information_schema.tables " +
			"where table_schema = database() and auto_increment > 1717986918",
		text:   numbersText,
		effect: numbersEffect,
		fix:    numbersFix,
	},
	{
		id: "stuck-replication", severity: Error, engine: "mysql", needs: []string{"replication_job.operation"},
		query: "select concat('replication_job ', id, ' of policy ', policy_id, ': ', status, ' since ', update_time) as found from replication_job " +
			"where status in ('pending', 'running', 'retrying') and operation in ('transfer', 'delete') and update_time < {day} order by id",
		text:   stuckReplicationText,
		effect: stuckReplicationEffect,
		fix:    stuckReplicationFix,
	},
	{
		id: "members", severity: Warning, engine: "mysql", needs: []string{"project_member.user_id"},
		query: "select concat('user ', m.user_id, ' in project ', m.project_id) as found from project_member m " +
			"left join `user` u on u.user_id = m.user_id left join role r on r.role_id = m.role where u.user_id is null or u.deleted <> 0 or r.role_id is null order by 1",
		text:   membersText,
		effect: membersEffect,
		fix:    membersFix,
	},
	{
		id: "members", severity: Warning, engine: "mysql", needs: []string{"project_member.entity_id"},
		query: "select concat('project_member ', m.id) as found from project_member m " +
			"left join `user` u on u.user_id = m.entity_id and m.entity_type = 'u' left join user_group g on g.id = m.entity_id and m.entity_type = 'g' " +
			"left join role r on r.role_id = m.role where r.role_id is null or m.entity_type = 'u' and (u.user_id is null or u.deleted <> 0) or m.entity_type = 'g' and g.id is null order by 1",
		text:   membersText,
		effect: membersEffect,
		fix:    membersFix,
	},
}
