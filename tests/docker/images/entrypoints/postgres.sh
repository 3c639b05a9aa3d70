#!/bin/sh
# Sets up the data folder as the official image does, then becomes the command.
set -eu
: "${POSTGRES_PASSWORD:?a database without a password does not start: make setup}"
export PATH="/usr/lib/postgresql/15/bin:$PATH" PGDATA=/var/lib/postgresql/data
as_postgres="setpriv --reuid=postgres --regid=postgres --init-groups"
mkdir -p "$PGDATA" /var/run/postgresql
chown postgres: "$PGDATA" /var/run/postgresql
chmod 700 "$PGDATA"
cd /
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  password=$(mktemp)
  printf '%s' "$POSTGRES_PASSWORD" > "$password"
  chown postgres "$password"
  $as_postgres initdb -U "$POSTGRES_USER" --pwfile="$password" --auth=scram-sha-256 \
    -E UTF8 --locale=C.UTF-8
  rm "$password"
  echo 'host all all all scram-sha-256' >> "$PGDATA/pg_hba.conf"
  $as_postgres pg_ctl -w start -o "-c listen_addresses='' -c shared_preload_libraries=pg_stat_statements"
  export PGPASSWORD="$POSTGRES_PASSWORD" PGUSER="$POSTGRES_USER"
  createdb "$POSTGRES_DB"
  for file in /docker-entrypoint-initdb.d/*.sql; do
    [ -e "$file" ] || continue
    psql -v ON_ERROR_STOP=1 -d "$POSTGRES_DB" -f "$file"
  done
  unset PGPASSWORD PGUSER
  $as_postgres pg_ctl -w -m fast stop
fi
case "$*" in
  *config_file=*) ;;
  *) set -- "$@" -c "listen_addresses=*" ;;  # the official image's default
esac
exec $as_postgres "$@"
