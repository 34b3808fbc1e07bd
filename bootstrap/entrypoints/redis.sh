#!/bin/sh
# Runs redis-server reachable from other containers, as the upstream image does, or any command.
set -eu

case ${1:-} in
'' | -*) set -- redis-server "$@" ;;
esac

if [ "$1" = redis-server ]; then
    shift
    cd /data
    set -- redis-server --protected-mode no "$@"
fi
exec "$@"
