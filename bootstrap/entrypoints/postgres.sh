#!/bin/sh
# Creates a cluster from POSTGRES_USER, POSTGRES_PASSWORD(_FILE) and POSTGRES_DB on the first
# start, as the upstream image does, then runs the server.
set -eu

case ${1:-} in
'' | -*) set -- postgres "$@" ;;
esac

if [ "$1" = postgres ] && [ ! -s "$PGDATA/PG_VERSION" ]; then
    password_file=${POSTGRES_PASSWORD_FILE:-}
    if [ -z "$password_file" ]; then
        : "${POSTGRES_PASSWORD:?set POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE}"
        password_file=$(mktemp)
        printf '%s' "$POSTGRES_PASSWORD" >"$password_file"
    fi
    user=${POSTGRES_USER:-postgres}
    database=${POSTGRES_DB:-$user}
    initdb --username="$user" --pwfile="$password_file" --encoding=UTF8 \
        --auth-local=trust --auth-host=scram-sha-256
    echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
    if [ "$database" != postgres ]; then
        pg_ctl --wait --options="-c listen_addresses=''" start
        createdb --username="$user" --maintenance-db=postgres "$database"
        pg_ctl --wait stop
    fi
fi

if [ "$1" = postgres ]; then
    shift
    unset POSTGRES_PASSWORD
    set -- postgres -c listen_addresses='*' "$@"
fi
exec "$@"
