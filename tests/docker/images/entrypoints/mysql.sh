#!/bin/sh
# Sets up the data folder as the official image does, then becomes MariaDB.
set -eu
: "${MYSQL_PASSWORD:?a database without a password does not start: make setup}"
data=/var/lib/mysql
mkdir -p "$data" /run/mysqld
chown mysql: "$data" /run/mysqld
if [ ! -d "$data/mysql" ]; then
  mariadb-install-db --user=mysql --datadir="$data" --skip-test-db \
    --auth-root-authentication-method=normal
  first=/run/mysqld/first.sql
  (
    umask 077
    cat > "$first" <<SQL
ALTER USER 'root'@'localhost' IDENTIFIED BY '$MYSQL_ROOT_PASSWORD';
CREATE DATABASE IF NOT EXISTS \`$MYSQL_DATABASE\`;
CREATE USER IF NOT EXISTS '$MYSQL_USER'@'%' IDENTIFIED BY '$MYSQL_PASSWORD';
GRANT ALL ON \`$MYSQL_DATABASE\`.* TO '$MYSQL_USER'@'%';
SQL
    cat /docker-entrypoint-initdb.d/*.sql 2>/dev/null | grep -v '^--' >> "$first" || true
  )
  chown mysql: "$first"
  set -- --init-file="$first"
fi
exec mariadbd --user=mysql --datadir="$data" --bind-address=0.0.0.0 "$@"
