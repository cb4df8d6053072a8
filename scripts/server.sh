# For scripts that tell a story on a throwaway PostgreSQL; they source it in the
# project's folder. It starts the server, with its socket in $DIR, and ends it
# with the script; $OURS is a folder for what the story needs.

if [ -t 1 ]; then heading='\n\033[1m# %s\033[0m\n'; else heading='\n# %s\n'; fi
say() { printf "$heading" "$*"; }

# show CODE COMMAND…: print a command, run it, and insist on its exit code.
show() {
	local code=$1 got=0
	shift
	printf '\n$ %s\n' "$*"
	"$@" || got=$?
	[ "$got" = 0 ] || printf '(exit %d)\n' "$got"
	[ "$got" = "$code" ] || { echo "expected exit $code"; exit 1; }
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

# core RELEASE …: start the core of a Harbor release, which migrates.
CORE=$OURS/core
go build -o "$CORE" ./scripts/core
core() { "$CORE" -dsn "postgres://postgres@/registry?host=$DIR" -release "$@"; }
create() { "$CORE" -dsn "postgres://postgres@/postgres?host=$DIR" -create "$1"; }
