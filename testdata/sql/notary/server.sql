-- Notary's server: signed metadata of each repository, and what changed when.
-- Its migration tool keeps one row for each step and knows no dirty flag.

CREATE TABLE schema_migrations (
    version integer NOT NULL PRIMARY KEY
);

CREATE TABLE tuf_files (
    id serial PRIMARY KEY,
    created_at timestamptz,
    updated_at timestamptz,
    deleted_at timestamptz,
    gun varchar(255) NOT NULL,
    role varchar(255) NOT NULL,
    version integer NOT NULL,
    data bytea NOT NULL,
    sha256 char(64),
    UNIQUE (gun, role, version)
);
CREATE INDEX tuf_files_sha256_idx ON tuf_files (sha256);

CREATE TABLE change_category (
    category varchar(20) PRIMARY KEY
);

CREATE TABLE changefeed (
    id serial PRIMARY KEY,
    created_at timestamp DEFAULT CURRENT_TIMESTAMP,
    gun varchar(255) NOT NULL,
    version integer NOT NULL,
    sha256 char(64) NOT NULL,
    category varchar(20) NOT NULL DEFAULT 'update' REFERENCES change_category (category)
);
CREATE INDEX idx_changefeed_gun ON changefeed (gun);

INSERT INTO schema_migrations (version) VALUES (1), (2);

INSERT INTO tuf_files (created_at, updated_at, gun, role, version, data, sha256)
SELECT now(), now(), 'harbor.example.com/library/app' || n, r, 1,
       decode('00ff5c4e0a5c2e0a', 'hex') || convert_to('{"signed":"' || n || r || '"}', 'UTF8'), repeat(md5(n || r), 2)
FROM generate_series(1, 5) n, unnest(ARRAY['root', 'targets', 'snapshot', 'timestamp']) r;

INSERT INTO change_category (category) VALUES ('update'), ('deletion');

INSERT INTO changefeed (gun, version, sha256)
SELECT gun, version, sha256 FROM tuf_files WHERE role = 'timestamp';
