#!/bin/sh
# Stands in for Docker Scout: takes what its documentation says, and refuses anything else.
set -eu
refuse() {
    echo "stand-in: $1" >&2
    exit 1
}
[ "$DOCKER_SCOUT_HUB_USER" = tester ] || refuse "user is '$DOCKER_SCOUT_HUB_USER'"
printf %s "$DOCKER_SCOUT_HUB_PASSWORD" | sha256sum | grep -q "^$PASSWORD_SHA256 " || refuse password
case "$*" in *"$DOCKER_SCOUT_HUB_PASSWORD"*) refuse "the password is an argument" ;; esac
[ "$1" = cves ] || refuse "no command is called '$1'"
shift
for argument; do
    case "$argument" in
        --format=sarif) ;;
        --output=*) report=${argument#--output=} ;;
        oci-dir://*) layout=${argument#oci-dir://} ;;
        *) refuse "unknown argument '$argument'" ;;
    esac
done
grep -q manifest.v1+json "$layout/index.json" || refuse "$layout is no OCI layout"
echo "    ✓ OCI directory read"
cp /scout.sarif.json "$report"
echo "    ✓ Report written to $report"
