#!/bin/bash
# The main job, told as a story on a throwaway PostgreSQL: Harbor 1.8 is backed
# up, upgraded to 1.9.4, found wanting, and put back.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ -t 1 ]; then heading='\n\033[1m# %s\033[0m\n'; else heading='\n# %s\n'; fi
say() { printf "$heading" "$*"; }

# show CODE COMMAND…: print a command, run it, and insist on its exit code.
show() {
	local code=$1 got=0
	shift
	printf '\n$ %s\n' "$*"
	"$@" || got=$?
	[ "$got" = 0 ] || printf '(exit %d)\n' "$got"
	[ "$got" = "$code" ] || { echo "demo: expected exit $code"; exit 1; }
}

# Server and store live in folders of their own, which go away with this
# script. initdb refuses root, so root lends the server's to the account postgres.
DIR=$(mktemp -d /tmp/harbordb-demo.XXXXXX)
OURS=$(mktemp -d /tmp/harbordb-demo.XXXXXX)
BIN=$(dirname "$(ls /usr/lib/postgresql/*/bin/initdb .cache/servers/node_modules/pg*/native/bin/initdb 2>/dev/null | tail -1)")
AS=()
if [ "$(id -u)" = 0 ]; then
	chown postgres "$DIR"
	AS=(setpriv --reuid postgres --regid "$(id -g postgres)" --clear-groups --)
fi
server() { (cd "$DIR" && "${AS[@]}" "$@" >>"$DIR/server.log" 2>&1) || { cat "$DIR/server.log"; exit 1; }; }
trap 'cd "$DIR" && "${AS[@]}" "$BIN/pg_ctl" -D "$DIR/data" -m immediate -s stop >/dev/null 2>&1; cd /; rm -rf "$DIR" "$OURS"' EXIT
chmod 755 "$DIR"
touch "$DIR/server.log" && chmod 666 "$DIR/server.log"
server "$BIN/initdb" -D "$DIR/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync
server "$BIN/pg_ctl" -D "$DIR/data" -w -s start -o "-p 5432 -c listen_addresses= -c unix_socket_directories=$DIR -c fsync=off"

CORE=$OURS/core
go build -o "$CORE" ./scripts/core
core() { "$CORE" -dsn "postgres://postgres@/registry?host=$DIR" -release "$@"; }
PATH=$PWD:$PATH
# Harbor's core, a Job with envFrom, and harbordb read the same variables.
export POSTGRESQL_HOST=$DIR POSTGRESQL_USERNAME=postgres POSTGRESQL_DATABASE=registry HARBORDB_STORE=$OURS/store

say "A new PostgreSQL, and a Harbor 1.8.6 in use on it"
"$CORE" -dsn "postgres://postgres@/postgres?host=$DIR" -create registry
show 0 core v1.8.6 -fill
show 0 harbordb status

say "Before the upgrade: a snapshot"
show 0 harbordb backup --label before-1.9.4 --verify

say "The upgrade: a core of 1.9.4 starts and migrates the schema"
show 0 core v1.9.4
show 0 harbordb schema status

say "Something is wrong with the new release. Back to 1.8.6? Harbor has no way down"
show 3 harbordb schema check --to v1.8.6
show 1 core v1.8.6

say "The way back is the snapshot: loaded beside, compared, swapped in one step"
show 0 harbordb restore before-1.9.4 --yes
show 0 core v1.8.6
show 0 harbordb schema status
show 0 harbordb snapshots diff before-1.9.4 live

say "The upgraded database is still there, until it is discarded"
show 0 harbordb restore --discard --yes

say "All done; the server and everything in it are gone now"
