package doctor

const (
	membersText   = "members of projects are users, groups or roles that are gone"
	membersEffect = "the page of members fails or shows nobody"
	membersFix    = "remove these members; an upgrade to 2.4 removes those of deleted users"
)

// foreign are layers that are never stored and never counted.
const foreign = `'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip'`

// contentChecks are about images and what belongs to them.
var contentChecks = []check{
	{
		id: "artifact-without-manifest", severity: Error, from: 10, needs: []string{"artifact.digest", "blob.digest"},
		query: `select 'artifact ' || a.id || ': ' || a.digest from {s}artifact a where not exists (select from {s}blob b where b.digest = a.digest) order by a.id`,
		text:  "artifacts have no row in blob for their manifest",
		effect: "the upgrade to 2.7 or 2.8 forgets their layers, and the next garbage collection deletes them; " +
			"the tag cannot be pulled",
		fix: "push the image again, before an upgrade to 2.7 or later and before a garbage collection; harbordb orphans scan shows what the storage has",
	},
	{
		id: "missing-layers", severity: Error, from: 10, needs: []string{"artifact_blob.digest_blob", "blob.digest"},
		query: `select 'artifact ' || ab.digest_af || ': blob ' || ab.digest_blob from {s}artifact_blob ab
			where not exists (select from {s}blob b where b.digest = ab.digest_blob) order by ab.id`,
		text:   "artifacts refer to blobs that are gone",
		effect: "pulling them fails with BLOB_UNKNOWN",
		fix:    "push the image again",
	},
	{
		id: "artifact-without-blobs", severity: Error, from: 10, needs: []string{"artifact.digest", "artifact_blob.digest_af"},
		query: `select 'artifact ' || a.id || ': ' || a.digest from {s}artifact a
			where not exists (select from {s}artifact_blob ab where ab.digest_af = a.digest) order by a.id`,
		text:   "artifacts have no list of blobs",
		effect: "a garbage collection deletes their layers",
		fix:    "push the image again, and run no garbage collection before; 1.9 and 1.10 fill the list when quotas are synchronised",
	},
	{
		id: "empty-artifacts", severity: Warning, from: 30, needs: []string{"artifact.size"},
		query:  `select 'artifact ' || id || ' of ' || repository_name from {s}artifact where coalesce(size, 0) = 0 order by id`,
		text:   "artifacts have no size",
		effect: "the UI shows 0B",
		fix:    "push the image again, or delete it",
	},
	{
		id: "unknown-artifacts", severity: Warning, from: 30, needs: []string{"artifact.media_type", "artifact.repository_id"},
		query:  `select 'artifact ' || id || ' of ' || repository_name from {s}artifact where media_type = 'UNKNOWN' or repository_id < 0 order by id`,
		text:   "artifacts are of unknown type or belong to no repository: the upgrade to 2.0 did not find their manifest or repository",
		effect: "they do not show, or cannot be opened",
		fix:    "upgrade to 2.0.3 or later, which finds repositories again; push or delete the rest",
	},
	{
		id: "tag-elsewhere", severity: Error, from: 30, needs: []string{"tag.repository_id", "artifact.repository_id"},
		query: `select 'tag ' || t.id || ' (' || t.name || '): repository ' || t.repository_id || ', its artifact ' || a.id || ': ' || a.repository_id
			from {s}tag t join {s}artifact a on a.id = t.artifact_id where a.repository_id <> t.repository_id order by t.id`,
		text:   "tags are listed in another repository than their artifact",
		effect: "the tag shows in the wrong place and cannot be deleted there",
		fix:    "delete the tag",
	},
	{
		id: "artifact-without-repository", severity: Error, from: 30, needs: []string{"artifact.repository_id", "repository.repository_id"},
		query: `select 'artifact ' || a.id || ': repository ' || a.repository_id from {s}artifact a
			where a.repository_id >= 0 and not exists (select from {s}repository r where r.repository_id = a.repository_id) order by a.id`,
		text:   "artifacts belong to repositories that are gone",
		effect: "they answer 404 or 500",
		fix:    "restore a snapshot, or delete the rows of these artifacts",
	},
	{
		id: "repository-without-project", severity: Error, from: 1, needs: []string{"repository.project_id", "project.project_id"},
		query: `select 'repository ' || r.repository_id || ' (' || r.name || '): project ' || r.project_id from {s}repository r
			where not exists (select from {s}project p where p.project_id = r.project_id) order by r.repository_id`,
		text:   "repositories belong to projects that are gone",
		effect: "they answer 404 or 500",
		fix:    "restore a snapshot, or delete the rows of these repositories",
	},
	{
		id: "uncounted-blobs", severity: Error, from: 10, needs: []string{"artifact.project_id", "artifact_blob.digest_af", "project_blob.blob_id", "blob.id"},
		query: `select distinct 'project ' || a.project_id || ': blob ' || b.id || ' (' || b.digest || ')' from {s}artifact a
			join {s}artifact_blob ab on ab.digest_af = a.digest join {s}blob b on b.digest = ab.digest_blob
			where not exists (select from {s}project_blob pb where pb.blob_id = b.id and pb.project_id = a.project_id)`,
		text:   "blobs of artifacts do not count for their project",
		effect: "the quota is wrong, and a garbage collection may delete the blob",
		fix:    "push the image again before the next garbage collection",
	},
	{
		id: "marked-blobs", severity: Error, from: 40, needs: []string{"blob.status", "artifact_blob.digest_blob", "artifact.digest"},
		query: `select 'blob ' || b.id || ' (' || b.digest || '): ' || b.status from {s}blob b where b.status in ('delete', 'deleting', 'deletefailed')
			and exists (select from {s}artifact_blob ab join {s}artifact a on a.digest = ab.digest_af where ab.digest_blob = b.digest) order by b.id`,
		text:   "blobs are marked for deletion while artifacts need them",
		effect: "Harbor answers 404 for them, even where the file exists",
		fix:    "where harbordb orphans scan finds the file, set their status to none; else push the image again",
	},
	{
		id: "quota-missing", severity: Error, from: 10, needs: []string{"project.deleted", "quota.reference_id", "quota_usage.reference_id"},
		query: `select 'project ' || p.project_id || ' (' || p.name || ')' from {s}project p where not p.deleted and not (
			exists (select from {s}quota q where q.reference = 'project' and q.reference_id = p.project_id::text)
			and exists (select from {s}quota_usage u where u.reference = 'project' and u.reference_id = p.project_id::text)) order by p.project_id`,
		text:   "projects have no quota",
		effect: "pushes fail with \"quota not found\" or \"quota usage not found\"",
		fix:    "POST /api/internal/syncquota, or start core of 1.9 or 1.10, which makes them",
	},
	{
		id: "quota-usage", severity: Warning, from: 10, needs: []string{"quota_usage.used", "project_blob.blob_id", "blob.size"},
		query: `select 'project ' || u.reference_id || ': ' || coalesce(u.used ->> 'storage', '?') || ' instead of ' || s.size from {s}quota_usage u
			cross join lateral (select coalesce(sum(b.size), 0) as size from {s}project_blob pb join {s}blob b on b.id = pb.blob_id
				where pb.project_id::text = u.reference_id and coalesce(b.content_type, '') <> ` + foreign + `) s
			where u.reference = 'project' and (u.used ->> 'storage') is distinct from s.size::text
			and exists (select from {s}project p where p.project_id::text = u.reference_id and not p.deleted) order by u.id`,
		text:   "the storage that projects use is not what their blobs add up to",
		effect: "pushes may be refused, and the numbers in the UI are wrong",
		fix:    "POST /api/internal/syncquota",
	},
	{
		id: "members", severity: Warning, from: 1, needs: []string{"project_member.entity_id", "harbor_user.deleted", "user_group.id", "role.role_id"},
		query: `select 'project_member ' || m.id || ' of project ' || m.project_id || ': ' || case m.entity_type when 'g' then 'group ' else 'user ' end || m.entity_id || ', role ' || m.role
			from {s}project_member m left join {s}harbor_user u on m.entity_type = 'u' and u.user_id = m.entity_id
			left join {s}user_group g on m.entity_type = 'g' and g.id = m.entity_id left join {s}role r on r.role_id = m.role
			where r.role_id is null or m.entity_type = 'u' and (u.user_id is null or u.deleted) or m.entity_type = 'g' and g.id is null order by m.id`,
		text:   membersText,
		effect: membersEffect,
		fix:    membersFix,
	},
	{
		id: "retention-link", severity: Warning, from: 10, needs: []string{"project_metadata.value", "retention_policy.id"},
		query: `select 'project ' || m.project_id || ': retention policy ' || m.value from {s}project_metadata m
			where m.name = 'retention_id' and not exists (select from {s}retention_policy r where r.id::text = m.value) order by m.project_id`,
		text:   "projects refer to a retention policy that is gone",
		effect: "their tab of tag retention answers 404",
		fix:    "delete the row retention_id of project_metadata, then make the policy again",
	},
}

// leftoverChecks are about room, not about damage.
var leftoverChecks = []check{
	{
		id: "scan-leftovers", severity: Info, from: 50, needs: []string{"scan_report.digest", "artifact.digest"},
		query:  `select 'scan_report ' || s.id || ': ' || s.digest from {s}scan_report s where not exists (select from {s}artifact a where a.digest = s.digest) order by s.id`,
		text:   "scan reports are left of artifacts that are gone",
		effect: "none but room",
		fix:    "they may be deleted",
	},
	{
		id: "vulnerability-leftovers", severity: Info, from: 50, needs: []string{"vulnerability_record.id", "report_vulnerability_record.vuln_record_id"},
		query: `select 'vulnerability_record ' || v.id from {s}vulnerability_record v
			where not exists (select from {s}report_vulnerability_record r where r.vuln_record_id = v.id) order by v.id`,
		text:   "vulnerabilities are in no report any more",
		effect: "none but room; Harbor never deletes them",
		fix:    "they may be deleted",
	},
	{
		id: "permission-leftovers", severity: Info, from: 50, needs: []string{"role_permission.permission_policy_id", "permission_policy.id"},
		query: `select 'role_permission ' || r.id from {s}role_permission r
			where not exists (select from {s}permission_policy p where p.id = r.permission_policy_id) order by r.id`,
		text:   "permissions of robots refer to rules that are gone",
		effect: "none",
		fix:    "they may be deleted",
	},
	{
		id: "trash", severity: Info, from: 30, needs: []string{"artifact_trash.id"},
		query:  `select count(*) || ' artifacts, the oldest since ' || coalesce(min(creation_time)::text, '?') from {s}artifact_trash having count(*) > 10000`,
		text:   "many deleted artifacts wait for a garbage collection",
		effect: "the next one takes long",
		fix:    "run a garbage collection",
	},
}
