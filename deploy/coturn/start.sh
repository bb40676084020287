#!/bin/sh
# Starts coturn with sameday.conf and what the environment says:
#   TURN_SECRET        as Sameday has it
#   TURN_REALM         the host name that devices reach it by
#   TURN_EXTERNAL_IP   behind NAT: public/private; otherwise the public address, or nothing
# The secret goes by a file that nobody else reads, so that no list of processes has it.
set -eu
: "${TURN_SECRET:?}" "${TURN_REALM:?}"
umask 077
made=$(mktemp)
cat "$(dirname "$0")/sameday.conf" >"$made"
{
    printf 'static-auth-secret=%s\nrealm=%s\n' "$TURN_SECRET" "$TURN_REALM"
    case "${TURN_EXTERNAL_IP:-}" in
        */*)
            # One side's relay reaches the other's, which is this same machine.
            printf 'external-ip=%s\nallowed-peer-ip=%s\n' "$TURN_EXTERNAL_IP" "${TURN_EXTERNAL_IP#*/}"
            ;;
        ?*) printf 'external-ip=%s\n' "$TURN_EXTERNAL_IP" ;;
    esac
} >>"$made"
exec turnserver -c "$made" --pidfile=/dev/null "$@"
