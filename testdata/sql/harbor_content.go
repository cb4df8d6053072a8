package harborsql

// harborPlan lays out what there is, before any table of Harbor is touched:
// projects, repositories, images, multi-platform indexes over the first two
// images of each repository, and the blobs of all of these.
const harborPlan = `
	CREATE TEMP TABLE p_project ON COMMIT DROP AS
	SELECT n + 1 AS project_id, CASE n WHEN 0 THEN 'library' ELSE 'team-' || n END AS name
	FROM generate_series(0, greatest({images} - 1, 0) / 20) n;

	CREATE TEMP TABLE p_repository ON COMMIT DROP AS
	SELECT n + 1 AS repository_id, p.project_id,
		p.name || '/' || (ARRAY['nginx', 'redis', 'api/server', 'worker', 'web_ui'])[n % 5 + 1] AS name
	FROM generate_series(0, ({images} - 1) / 4) n JOIN p_project p ON p.project_id = n / 5 + 1
	WHERE {images} > 0;

	CREATE TEMP TABLE p_image ON COMMIT DROP AS
	SELECT n + 1 AS id, r.project_id, r.repository_id, r.name AS repository, 'v1.' || n % 4 AS tag,
		'sha256:' || md5('manifest' || n) || md5('tsefinam' || n) AS digest,
		'sha256:' || md5('config' || n) || md5('gifnoc' || n) AS config,
		'sha256:' || md5('layer' || n) || md5('reyal' || n) AS layer,
		'sha256:' || repeat('ba5e', 16) AS base,
		timestamp '2024-01-02 08:00:00' + n * interval '7 minutes' AS push_time
	FROM generate_series(0, {images} - 1) n JOIN p_repository r ON r.repository_id = n / 4 + 1;

	CREATE TEMP TABLE p_index ON COMMIT DROP AS
	SELECT {images} + a.repository_id AS id, a.project_id, a.repository_id, a.repository,
		'sha256:' || md5('index' || a.repository_id) || md5('xedni' || a.repository_id) AS digest,
		a.id AS first_id, b.id AS second_id, a.digest AS first, b.digest AS second, b.push_time
	FROM p_image a JOIN p_image b ON b.id = a.id + 1 AND b.repository_id = a.repository_id
	WHERE a.tag = 'v1.0';

	CREATE TEMP TABLE p_edge ON COMMIT DROP AS
	SELECT project_id, digest, unnest(ARRAY[digest, config, layer, base]) AS blob FROM p_image
	UNION ALL
	SELECT project_id, digest, unnest(ARRAY[digest, first, second]) FROM p_index;

	CREATE TEMP TABLE p_blob ON COMMIT DROP AS
	SELECT row_number() OVER (ORDER BY b.digest) AS id, b.* FROM (
		SELECT digest, 'application/vnd.docker.distribution.manifest.v2+json' AS content_type, 1100 + id % 7 AS size FROM p_image
		UNION ALL
		SELECT config, 'application/vnd.docker.container.image.v1+json', 2400 + id % 11 FROM p_image
		UNION ALL
		SELECT layer, 'application/vnd.docker.image.rootfs.diff.tar.gzip', 3000000 + id * 1013 FROM p_image
		UNION ALL
		SELECT DISTINCT base, 'application/vnd.docker.image.rootfs.diff.tar.gzip', 29000000 FROM p_image
		UNION ALL
		SELECT digest, 'application/vnd.docker.distribution.manifest.list.v2+json', 700 FROM p_index
	) b;

	-- Many images need plans that know it.
	CREATE INDEX ON p_edge (digest);
	CREATE UNIQUE INDEX ON p_blob (digest);
	ANALYZE p_edge;
	ANALYZE p_blob;
	ANALYZE p_image;`

// harborContent are users, projects and what is in them.
var harborContent = []rowSet{
	{table: "harbor_user", query: `
		SELECT project_id + 1 AS user_id, 'user-' || project_id AS username, 'user-' || project_id || '@example.com' AS email,
			md5('password' || project_id) AS password, 'User ' || project_id AS realname, md5('salt' || project_id) AS salt,
			'sha256' AS password_version, '2024-01-01 09:00:00' AS creation_time, '2024-01-01 09:00:00' AS update_time
		FROM p_project WHERE project_id > 1`},
	{table: "oidc_user", query: `
		SELECT project_id - 1 AS id, project_id + 1 AS user_id, '<enc-v1>' || md5('secret' || project_id) AS secret,
			'subject-' || project_id || 'https://idp.example.com' AS subiss, '<enc-v1>' || md5('token' || project_id) AS token
		FROM p_project WHERE project_id > 1`},
	{table: "user_group", query: `
		SELECT 1 AS id, 'developers' AS group_name, 1 AS group_type, 'cn=developers,dc=example,dc=com' AS ldap_group_dn`},
	{table: "project", query: `
		SELECT project_id, 1 AS owner_id, name, '2024-01-01 10:00:00' AS creation_time, '2024-01-01 10:00:00' AS update_time
		FROM p_project WHERE project_id > 1`},
	{table: "project_member", query: `
		SELECT project_id, 1 AS entity_id, 'u' AS entity_type, 1 AS role FROM p_project WHERE project_id > 1
		UNION ALL
		SELECT project_id, project_id + 1, 'u', 2 FROM p_project WHERE project_id > 1
		UNION ALL
		SELECT project_id, 1, 'g', 3 FROM p_project WHERE project_id > 1`},
	{table: "project_metadata", query: `
		SELECT project_id, 'public' AS name, (project_id % 2 = 0)::text AS value FROM p_project WHERE project_id > 1`},
	{table: "project_metadata", from: 10, query: `SELECT 1 AS project_id, 'retention_id' AS name, '1' AS value`},
	{table: "properties", query: `
		SELECT * FROM (VALUES ('auth_mode', 'db_auth'), ('read_only', 'false'), ('self_registration', 'false'),
			('token_expiration', '30')) v (k, v)`},
	{table: "properties", from: 4, to: 41, query: `SELECT 'robot_token_duration' AS k, '43200' AS v`},
	{table: "properties", from: 50, query: `SELECT 'robot_token_duration' AS k, '30' AS v`},
	{table: "job_log", query: `
		SELECT n AS log_id, md5('log' || n) AS job_uuid, 'line one' || chr(10) || 'line two' AS content FROM generate_series(1, 2) n`},
	{table: "repository", query: `
		SELECT repository_id, name, project_id, 'images of ' || name AS description, repository_id % 100 AS pull_count,
			'2024-01-02 07:00:00' AS creation_time, '2024-01-02 07:00:00' AS update_time
		FROM p_repository`},
	{table: "harbor_label", query: `
		SELECT 1 AS id, 'release' AS name, 'ready to ship' AS description, '#0065AB' AS color, 'u' AS level, 'g' AS scope, 0 AS project_id
		UNION ALL
		SELECT 2, 'stable', 'tested', '#00A24B', 'u', 'p', 1`},
	{table: "harbor_resource_label", query: `
		SELECT 1 AS label_id, repository_id AS resource_id, name AS resource_name, 'r' AS resource_type
		FROM p_repository WHERE repository_id % 3 = 1`},
	{table: "harbor_resource_label", to: 15, query: `
		SELECT 1 AS label_id, repository || ':' || tag AS resource_name, 'i' AS resource_type FROM p_image WHERE tag = 'v1.0'`},
	{table: "access_log", query: `
		SELECT 'admin' AS username, project_id, repository AS repo_name, tag AS repo_tag, md5('guid' || id) AS guid,
			'push' AS operation, push_time AS op_time
		FROM p_image`},
	{table: "audit_log", query: `
		SELECT id, project_id, 'create' AS operation, 'artifact' AS resource_type, repository || ':' || tag AS resource,
			'admin' AS username, push_time AS op_time
		FROM p_image`},
	{table: "audit_log_ext", query: `
		SELECT id, project_id, 'create' AS operation, 'artifact' AS resource_type, repository || ':' || tag AS resource,
			'admin' AS username, 'create artifact: ' || repository || '@' || digest AS op_desc, 'true' AS op_result,
			'10.1.2.' || id % 250 AS source_ip, push_time AS op_time
		FROM p_image`},
	{table: "blob", query: `
		SELECT id, digest, content_type, size, '2024-01-02 07:30:00' AS creation_time, '2024-01-02 07:30:00' AS update_time
		FROM p_blob`},
	{table: "artifact_blob", query: `
		SELECT digest AS digest_af, blob AS digest_blob FROM p_edge`},
	{table: "project_blob", query: `
		SELECT DISTINCT e.project_id, b.id AS blob_id FROM p_edge e JOIN p_blob b ON b.digest = e.blob ORDER BY 1, 2`},
	{table: "artifact", to: 15, query: `
		SELECT id, project_id, repository AS repo, tag, digest, 'Docker-Image' AS kind, push_time AS creation_time, push_time
		FROM p_image
		UNION ALL
		SELECT id, project_id, repository, 'latest', digest, 'Docker-Image', push_time, push_time FROM p_index`},
	{table: "artifact", from: 30, query: `
		SELECT i.id, i.project_id, i.repository AS repository_name, i.repository_id, i.digest, 'IMAGE' AS type, i.push_time,
			(SELECT sum(b.size) FROM p_edge e JOIN p_blob b ON b.digest = e.blob WHERE e.digest = i.digest) AS size,
			'application/vnd.docker.container.image.v1+json' AS media_type,
			'application/vnd.docker.container.image.v1+json' AS artifact_type,
			'application/vnd.docker.distribution.manifest.v2+json' AS manifest_media_type,
			'{"architecture":"amd64","os":"linux","config":{"Env":["PATH=/bin"]}}' AS extra_attrs
		FROM p_image i
		UNION ALL
		SELECT x.id, x.project_id, x.repository, x.repository_id, x.digest, 'IMAGE', x.push_time,
			(SELECT sum(b.size) FROM p_edge e JOIN p_blob b ON b.digest = e.blob
			 WHERE e.digest IN (x.first, x.second) OR e.digest = x.digest AND e.blob = x.digest),
			'application/vnd.docker.distribution.manifest.list.v2+json',
			'application/vnd.docker.distribution.manifest.list.v2+json',
			'application/vnd.docker.distribution.manifest.list.v2+json', '{}'
		FROM p_index x`},
	{table: "artifact_reference", query: `
		SELECT id AS parent_id, first_id AS child_id, first AS child_digest,
			'{"architecture":"amd64","os":"linux"}' AS platform FROM p_index
		UNION ALL
		SELECT id, second_id, second, '{"architecture":"arm64","os":"linux"}' FROM p_index`},
	{table: "tag", query: `
		SELECT id, repository_id, id AS artifact_id, tag AS name, push_time FROM p_image
		UNION ALL
		SELECT id, repository_id, id, 'latest', push_time FROM p_index`},
	{table: "label_reference", query: `
		SELECT 1 AS label_id, id AS artifact_id FROM p_image WHERE tag = 'v1.0'`},
	{table: "artifact_trash", query: `
		SELECT 1 AS id, 'application/vnd.docker.container.image.v1+json' AS media_type,
			'application/vnd.docker.distribution.manifest.v2+json' AS manifest_media_type,
			'library/gone' AS repository_name, 'sha256:' || md5('gone') || md5('enog') AS digest`},
	{table: "artifact_accessory", from: 80, query: `
		SELECT 1 AS id, b.id AS artifact_id, a.id AS subject_artifact_id, 'signature.cosign' AS type, 1100 AS size,
			b.digest, a.digest AS subject_artifact_digest, a.repository AS subject_artifact_repo
		FROM p_image a JOIN p_image b ON b.id = 4 AND b.repository_id = a.repository_id WHERE a.id = 3`},
	{table: "quota", query: `
		SELECT 'project' AS reference, project_id::text AS reference_id, '{"storage": -1}' AS hard
		FROM p_project WHERE project_id > 1`},
	{table: "quota_usage", query: `
		SELECT 'project' AS reference, project_id::text AS reference_id, '{"storage": 0}' AS used
		FROM p_project WHERE project_id > 1`},
	{table: "cve_whitelist", query: `
		SELECT project_id, '[]' AS items FROM p_project WHERE project_id > 1`},
	{table: "cve_allowlist", query: `
		SELECT project_id, '[{"cve_id":"CVE-2024-0001"}]' AS items FROM p_project WHERE project_id > 1`},
	{table: "immutable_tag_rule", query: `
		SELECT 1 AS id, 1 AS project_id,
			'{"tag_selectors":[{"kind":"doublestar","decoration":"matches","pattern":"v1.0"}]}' AS tag_filter`},
	{table: "scanner_registration", query: `
		SELECT 1 AS id, '2c2a2b5e-0000-4000-8000-000000000001' AS uuid, 'http://trivy-adapter:8080' AS url, 'Trivy' AS name,
			'' AS auth, 'true' AS is_default, 'true' AS use_internal_addr, 'true' AS immutable`},
	{table: "scan_report", query: `
		SELECT id, md5('report' || id) AS uuid, digest, '2c2a2b5e-0000-4000-8000-000000000001' AS registration_uuid,
			'application/vnd.security.vulnerability.report; version=1.1' AS mime_type,
			md5('scan' || id) AS job_id, 'Success' AS status, 3 AS status_code, 1704182400 AS status_rev,
			'{"severity": "High",  "summary": {"total": 3}}' AS report,
			1 AS critical_cnt, 1 AS high_cnt, 1 AS medium_cnt, 0 AS low_cnt, 0 AS none_cnt, 0 AS unknown_cnt, 3 AS fixable_cnt
		FROM p_image`},
	{table: "vulnerability_record", query: `
		SELECT n AS id, 'CVE-2023-' || 1000 + n AS cve_id, '2c2a2b5e-0000-4000-8000-000000000001' AS registration_uuid,
			'openssl' AS package, '1.1.' || n AS package_version, 'deb' AS package_type,
			(ARRAY['Medium', 'High', 'Critical'])[(n + 1) % 3 + 1] AS severity, '1.1.99' AS fixed_version, 5 + n / 10.0 AS cvss_score_v3,
			'a flaw in line ' || n AS description, '{"CVSS": {"nvd": {"V3Score": ' || 5 + n / 10.0 || '}}}' AS vendor_attributes
		FROM generate_series(1, 30) n`},
	{table: "report_vulnerability_record", query: `
		SELECT md5('report' || i.id) AS report_uuid, (i.id % 10) * 3 + n AS vuln_record_id
		FROM p_image i, generate_series(1, 3) n`},
	{table: "sbom_report", query: `
		SELECT id, md5('sbom' || id) AS uuid, id AS artifact_id, '2c2a2b5e-0000-4000-8000-000000000001' AS registration_uuid,
			'application/vnd.security.sbom.report+json; version=1.0' AS mime_type, 'application/spdx+json' AS media_type,
			'{"spdxVersion": "SPDX-2.3"}' AS report
		FROM p_image WHERE tag = 'v1.3'`},
	{table: "system_artifact", query: `
		SELECT 1 AS id, 'scandata_export_1' AS repository, 'sha256:' || md5('csv') || md5('vsc') AS digest, 4096 AS size,
			'SCAN_DATA_EXPORT' AS vendor, 'ScanData' AS type, '{}' AS extra_attrs`},
}
