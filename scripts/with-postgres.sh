#!/usr/bin/env bash
# Runs a command beside a private Postgres server that lives exactly as long as the command.
# Usage: with-postgres.sh <command…>   The command finds the server in PLINTO_TEST_POSTGRES.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
[ $# -gt 0 ] || die "usage: with-postgres.sh <command…>"
bin=$(postgres_bin) || die "no PostgreSQL server found; run \`make setup\`"
folder=$(mktemp -d "${TMPDIR:-/tmp}/plinto-postgres.XXXXXX")
child=

# The server refuses to run as root; root lends it to the user that the package made.
server() { if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi; }

# shellcheck disable=SC2329 # called by the trap
finish() {
  trap - EXIT INT TERM HUP
  if [ -n "$child" ]; then kill -TERM -- "-$child" 2>/dev/null || true; wait "$child" 2>/dev/null || true; fi
  server "$bin/pg_ctl" -D "$folder/data" -m immediate -w stop >/dev/null 2>&1 || true
  rm -rf "$folder"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

if [ "$(id -u)" = 0 ]; then
  id postgres >/dev/null 2>&1 || die "root can't run Postgres, and there is no user \`postgres\`"
  chown postgres "$folder"
fi
(cd "$folder" && server "$bin/initdb" -D "$folder/data" -U plinto --auth=trust --encoding=UTF8 --locale=C >"$folder/initdb.log" 2>&1) ||
  { cat "$folder/initdb.log" >&2; die "initdb failed"; }

started=
for _ in 1 2 3 4 5; do
  port=$(node -e 's=require("net").createServer().listen(0,"127.0.0.1",()=>{console.log(s.address().port);s.close()})')
  if (cd "$folder" && server "$bin/pg_ctl" -D "$folder/data" -w -t 60 -l "$folder/data/server.log" \
      -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c max_connections=300" start >/dev/null); then
    started=1
    break
  fi
done
[ -n "$started" ] || { cat "$folder/data/server.log" >&2; die "Postgres did not start"; }

export PLINTO_TEST_POSTGRES="postgres://plinto@127.0.0.1:$port/postgres"
set -m # a group of its own, so that the whole of the command can be stopped
"$@" </dev/null &
child=$!
status=0
wait "$child" || status=$?
child=
exit "$status"
