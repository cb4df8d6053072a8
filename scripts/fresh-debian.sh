#!/bin/bash
# What the Debian package is worth, on a Debian that has nothing else: install
# it, back up, upgrade Harbor, go back, remove it. Takes root.
#
# usage: scripts/fresh-debian.sh FILE.deb [FOLDER]
#        FOLDER keeps the fresh Debian for the next run
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -ge 1 ] && [ -e "$1" ] || { echo "usage: scripts/fresh-debian.sh FILE.deb [FOLDER] (make release builds it)" >&2; exit 2; }
[ "$(id -u)" = 0 ] || { echo "fresh-debian: this needs root" >&2; exit 1; }
PACKAGE=$1

. scripts/server.sh

ROOT=$OURS/debian
fresh=${2:-}
if [ -n "$fresh" ] && [ -d "$fresh" ]; then
	cp -a "$fresh" "$ROOT"
else
	say "A fresh Debian"
	debootstrap --variant=minbase bookworm "$ROOT" >"$OURS/debootstrap.log" 2>&1 || { tail -20 "$OURS/debootstrap.log"; exit 1; }
	[ -z "$fresh" ] || cp -a "$ROOT" "$fresh"
fi
cp "$PACKAGE" "$ROOT/root/harbordb.deb"
mkdir -p "$ROOT/run/postgresql"

# debian COMMAND…: run a command there. The server's socket is mounted where
# nobody but the command sees it, so that no mount outlives it.
debian() {
	unshare --mount /bin/sh -ec 'mount --bind "$1" "$2/run/postgresql"; root=$2; shift 2; exec chroot "$root" "$@"' sh "$DIR" "$ROOT" \
		env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root HARBORDB_STORE=/var/lib/harbordb \
		POSTGRESQL_HOST=/run/postgresql POSTGRESQL_USERNAME=postgres POSTGRESQL_DATABASE=registry "$@"
}

say "Install the package"
show 0 debian dpkg --install /root/harbordb.deb
show 0 debian harbordb version
for file in share/man/man1/harbordb-backup.1.gz share/bash-completion/completions/harbordb share/doc/harbordb/copyright; do
	[ -s "$ROOT/usr/$file" ] || { echo "the package has no $file"; exit 1; }
done

say "A Harbor 2.10.3 in use, and a snapshot of it"
create registry
show 0 core v2.10.3 -fill
show 0 debian harbordb backup --label before-v2.11.0 --verify

say "The upgrade to 2.11.0, and the way back"
show 0 core v2.11.0
show 1 core v2.10.3
show 0 debian harbordb restore before-v2.11.0 --yes
show 0 core v2.10.3
show 0 debian harbordb snapshots diff before-v2.11.0 live

say "Remove the package; the snapshots stay"
show 0 debian dpkg --purge harbordb
left=$(cd "$ROOT" && find usr etc -name '*harbordb*')
[ -z "$left" ] || { echo "left behind: $left"; exit 1; }
ls "$ROOT"/var/lib/harbordb/snapshots/*/manifest.json

say "All done"
