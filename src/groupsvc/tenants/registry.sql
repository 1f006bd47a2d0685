-- read: digest
-- Changes with anything that a worker would read.
SELECT md5(coalesce(string_agg(t::text, ' ' ORDER BY t.name), ''))
       || md5(coalesce((SELECT string_agg(h::text, ' ' ORDER BY h.host) FROM tenant_hosts h), '')) AS digest
FROM tenants t;

-- read: every
SELECT t.name, t.database_url, t.settings::text AS settings, t.target_url, t.is_copied,
       ARRAY(SELECT h.host FROM tenant_hosts h WHERE h.tenant = t.name ORDER BY h.host) AS hosts
FROM tenants t ORDER BY t.name;

-- write: save
INSERT INTO tenants AS t (name, database_url, settings)
VALUES (:name::text, :database_url::text, :settings::jsonb)
ON CONFLICT (name) DO UPDATE SET settings = excluded.settings
WHERE t.settings <> excluded.settings
RETURNING true AS saved;

-- write: save_hosts
WITH gone AS (
    DELETE FROM tenant_hosts WHERE tenant = :tenant::text AND host <> ALL (:hosts::text[]))
INSERT INTO tenant_hosts (host, tenant)
SELECT host, :tenant::text FROM unnest(:hosts::text[]) host
WHERE host NOT IN (SELECT h.host FROM tenant_hosts h WHERE h.tenant = :tenant::text)
RETURNING host;

-- write: move
UPDATE tenants SET target_url = :target_url::text, is_copied = :is_copied::boolean WHERE name = :name::text
RETURNING true AS moved;

-- write: switch
UPDATE tenants SET database_url = target_url, target_url = NULL, is_copied = false
WHERE name = :name::text AND is_copied
RETURNING true AS switched;
