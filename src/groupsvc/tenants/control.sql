-- The control database: which institutions there are. Applied as often as one likes.

-- Rule: no two institutions answer to one issuer: its tokens would be good at both.
-- Where an institution is being moved, target_url says whereto; is_copied, that all of it is there.
CREATE TABLE IF NOT EXISTS tenants (
    name text CONSTRAINT pk_tenants PRIMARY KEY
        CONSTRAINT ck_tenants_name CHECK (name ~ '^[a-z][a-z0-9_-]{0,39}$'),
    database_url text NOT NULL,
    settings jsonb NOT NULL DEFAULT '{}' CONSTRAINT ck_tenants_settings CHECK (jsonb_typeof(settings) = 'object'),
    issuer text GENERATED ALWAYS AS (settings ->> 'jwt_issuer') STORED CONSTRAINT uq_tenants_issuer UNIQUE,
    target_url text,
    is_copied boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- Rule: a host name is that of one institution.
CREATE TABLE IF NOT EXISTS tenant_hosts (
    host text CONSTRAINT pk_tenant_hosts PRIMARY KEY
        CONSTRAINT ck_tenant_hosts_host CHECK (host ~ '^[a-z0-9._-]{1,255}$' AND host !~ '\.$'),
    tenant text NOT NULL CONSTRAINT fk_tenant_hosts_tenant REFERENCES tenants ON DELETE CASCADE
);
