package orphans

import "github.com/harbordb/harbordb/database"

// dialect is what the queries say in one engine. Queries about artifacts are
// empty where Harbor never had such tables in the engine.
//
// The parameters of the queries with a scope are the same: the project with a
// slash at its end and the repository, each empty for all.
type dialect struct {
	// columns lists table and column of the catalog, for the era.
	columns string
	// repositories selects name and registry id (0: no proxy cache);
	// plainRepositories does in databases whose projects have none.
	repositories, plainRepositories string
	// tagRows selects repository, tag and digest in Harbor 1.9 and 1.10,
	// where table artifact has a row for each tag.
	tagRows string
	// artifacts selects id, repository and digest; trash repository and
	// digest; system the digests of Harbor's own artifacts.
	artifacts, trash, system string
	// artifactBlobs selects the digest of an artifact, the digest of one of
	// its blobs, and size and content type of that blob's row; blobs selects
	// digest, size, content type and status. Both are completed by one of
	// the bounds, and by artifactBlobsScope where there is a scope.
	artifactBlobs, artifactBlobsScope string
	blobs, blobsWithoutStatus         string
	bounds                            map[boundary]bound
	// The checks that the database answers alone; see dbchecks.go.
	sizes, listless, rowless, unassociated, marked, lostChildren, lostAccessories string
	// The second look: what is there now, of a list of digests.
	liveTrash, liveTagRows string
	// byDigest selects artifacts by a list of digests, users the artifacts that need one of a list of blobs, parents
	// those that have one of a list of artifacts as a child, tags the tags
	// of a list of artifacts.
	byDigest, users, parents, tags string
}

// boundary says which digests a query is about.
type boundary int

const (
	everyDigest boundary = iota
	digestRange
	otherAlgorithms
)

// bound is a condition on a column of digests, which stands for {}. The numbers
// of the parameters continue those of the scope, where there is one.
type bound struct{ scoped, plain string }

// dialects has every engine that package database opens.
var dialects = map[database.Engine]dialect{
	database.PostgreSQL: {
		columns: `select table_name, column_name from information_schema.columns where table_schema = current_schema()`,
		repositories: `select r.name, coalesce(p.registry_id, 0) from repository r
			left join project p on p.project_id = r.project_id`,
		plainRepositories: `select name, 0 from repository`,
		tagRows: `select a.repo, a.tag, a.digest from artifact a
			where left(a.repo, length($1::text)) = $1 and ($2 = '' or a.repo = $2)`,
		artifacts: `select a.id, a.repository_name, a.digest from artifact a where ` + inScope,
		trash:     `select a.repository_name, a.digest from artifact_trash a where ` + inScope,
		system:    `select distinct digest from system_artifact`,
		artifactBlobs: `select ab.digest_af, ab.digest_blob, b.size, b.content_type
			from artifact_blob ab left join blob b on b.digest = ab.digest_blob where `,
		artifactBlobsScope: `exists (select 1 from artifact a where a.digest = ab.digest_af and ` + inScope + `) and `,
		blobs:              `select b.digest, b.size, b.content_type, coalesce(b.status, 'none') from blob b where `,
		blobsWithoutStatus: `select b.digest, b.size, b.content_type, 'none' from blob b where `,
		bounds: map[boundary]bound{
			everyDigest:     {"true", "true"},
			digestRange:     {"{} >= $3 and {} < $4", "{} >= $1 and {} < $2"},
			otherAlgorithms: {"{} not like 'sha256:%'", "{} not like 'sha256:%'"},
		},
		sizes: selectArtifact + `, coalesce(a.size, 0), a.media_type from artifact a
			where (coalesce(a.size, 0) = 0 or a.media_type = 'UNKNOWN' or a.manifest_media_type = 'UNKNOWN') and ` + inScope + order,
		listless: selectArtifact + `, 0, '' from artifact a
			where not exists (select 1 from artifact_blob ab where ab.digest_af = a.digest) and ` + inScope + order,
		rowless: selectArtifact + `, 0, ab.digest_blob from artifact a
			join artifact_blob ab on ab.digest_af = a.digest
			where not exists (select 1 from blob b where b.digest = ab.digest_blob) and ` + inScope + order,
		unassociated: selectArtifact + `,
			(select count(*) from project_blob pb where pb.blob_id = b.id), b.digest from artifact a
			join artifact_blob ab on ab.digest_af = a.digest
			join blob b on b.digest = ab.digest_blob
			where not exists (select 1 from project_blob pb where pb.project_id = a.project_id and pb.blob_id = b.id)
			and b.content_type not like '%foreign%' and b.content_type not like '%nondistributable%' and ` + inScope + order,
		marked: selectArtifact + `, 0, b.digest || ' ' || b.status from artifact a
			join artifact_blob ab on ab.digest_af = a.digest
			join blob b on b.digest = ab.digest_blob
			where coalesce(b.status, 'none') not in ('none', '') and ` + inScope + order,
		lostChildren: selectArtifact + `, r.child_id, r.child_digest from artifact a
			join artifact_reference r on r.parent_id = a.id
			where not exists (select 1 from artifact c where c.id = r.child_id) and ` + inScope + order,
		lostAccessories: selectArtifact + `, aa.id, coalesce(aa.type, '') || ' ' || coalesce(aa.digest, '') from artifact a
			join artifact_accessory aa on aa.subject_artifact_id = a.id
			where not exists (select 1 from artifact c where c.id = aa.artifact_id) and ` + inScope + order,
		liveTrash:   `select a.repository_name, a.digest from artifact_trash a where a.digest = any($1)`,
		liveTagRows: `select a.repo, a.tag || ' ' || a.digest from artifact a where a.digest = any($1)`,
		byDigest:    selectArtifact + `, 0, '' from artifact a where a.digest = any($1)` + order,
		users: selectArtifact + `, 0, ab.digest_blob from artifact_blob ab
			join artifact a on a.digest = ab.digest_af where ab.digest_blob = any($1)` + order,
		parents: selectArtifact + `, r.child_id, '' from artifact_reference r
			join artifact a on a.id = r.parent_id where r.child_id = any($1)` + order,
		tags: `select t.artifact_id, t.name from tag t where t.artifact_id = any($1) order by 1, 2`,
	},
	database.MySQL: {
		columns:           `select table_name as t, column_name as c from information_schema.columns where table_schema = database()`,
		plainRepositories: `select name, 0 from repository`,
	},
}

const (
	// inScope keeps rows of a to the scope.
	inScope = `left(a.repository_name, length($1::text)) = $1 and ($2 = '' or a.repository_name = $2)`
	// selectArtifact begins the queries whose rows are artifactRows: what
	// follows is a number and a text. Harbor writes the first moment of the
	// calendar for "never", and there are times that are no time: infinity.
	selectArtifact = `select a.id, a.repository_name, a.digest,
		case when a.pull_time > '1970-01-02' and a.pull_time < '9999-01-01' then a.pull_time end`
	// order makes results repeatable.
	order = ` order by 2, 3, 1, 6`
)
