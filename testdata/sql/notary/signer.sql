-- Notary's signer: private keys, encrypted with a passphrase that is not here.

CREATE TABLE schema_migrations (
    version integer NOT NULL PRIMARY KEY
);

CREATE TABLE private_keys (
    id serial PRIMARY KEY,
    created_at timestamp DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamp DEFAULT CURRENT_TIMESTAMP,
    deleted_at timestamp,
    key_id varchar(255) NOT NULL UNIQUE,
    encryption_alg varchar(255) NOT NULL,
    keywrap_alg varchar(255) NOT NULL,
    algorithm varchar(50) NOT NULL,
    passphrase_alias varchar(50) NOT NULL,
    public bytea NOT NULL,
    private bytea NOT NULL,
    gun varchar(255) NOT NULL,
    role varchar(255) NOT NULL,
    last_used timestamp
);

INSERT INTO schema_migrations (version) VALUES (1), (2);

INSERT INTO private_keys (key_id, encryption_alg, keywrap_alg, algorithm, passphrase_alias, public, private, gun, role)
SELECT repeat(md5(n::text), 2), 'A256GCM', 'PBES2-HS256+A128KW', 'ecdsa', 'defaultalias',
       decode(md5('public' || n), 'hex'), decode('00', 'hex') || decode(md5('private' || n), 'hex'),
       'harbor.example.com/library/app' || n, r
FROM generate_series(1, 5) n, unnest(ARRAY['snapshot']) r;
