#!/bin/sh
# Make passwords once. The folder is private; its files are mounted into containers as they are, and read there by other users.
set -eu
cd "$(dirname "$0")"
umask 077
mkdir -p secrets
cd secrets
[ ! -e postgres_password ] || { echo "there are secrets already in $PWD"; exit 1; }
password() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }
password >postgres_password
printf 'postgresql://groupsvc_owner:%s@postgres/groupsvc' "$(password)" >owner_url
printf 'postgresql://groupsvc:%s@postgres/groupsvc' "$(password)" >service_url
chmod 444 ./*
echo "made $PWD"
