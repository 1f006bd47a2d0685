#!/bin/bash
# Two roles: one owns the database, the other serves. Passwords are those of the URLs.
set -euo pipefail
secrets=${SECRETS:-/run/secrets}
password() { sed -E 's|^[^:]+://[^:]+:([^@]+)@.*|\1|' "$secrets/$1"; }
psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
    -v owner="$(password owner_url)" -v service="$(password service_url)" <<'SQL'
CREATE ROLE groupsvc_owner LOGIN PASSWORD :'owner';
CREATE ROLE groupsvc LOGIN PASSWORD :'service';
CREATE DATABASE groupsvc OWNER groupsvc_owner TEMPLATE template0 ENCODING 'UTF8';
SQL
