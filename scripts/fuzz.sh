#!/bin/bash
# Runs every fuzz target for a while, one after the other, from its committed
# seeds. An input that fails is kept in the package's testdata/fuzz.
#
# usage: scripts/fuzz.sh [TIME]   5s, or 20000x for a number of inputs
set -euo pipefail
cd "$(dirname "$0")/.."
time=${1:-5s}
log=$(mktemp)
trap 'rm -f "$log"' EXIT

fuzz() { # package target
	go test -run '^$' -fuzz "^$2\$" -fuzztime "$time" -fuzzminimizetime 5s "$1" >"$log" 2>&1
}

targets=0
while IFS=: read -r file line; do
	package=$(dirname "$file")
	target=${line#func }
	target=${target%(}
	# The end of the time may catch the toolchain in the middle of an input,
	# which it reports as a failure without one: such a run is repeated.
	fuzz "$package" "$target" || { ! grep -q 'Failing input' "$log" && grep -q 'context deadline exceeded' "$log" && fuzz "$package" "$target"; } || {
		cat "$log"
		echo "FAIL	$package $target"
		exit 1
	}
	echo "ok	$package $target	$(grep -o 'execs: [0-9]*' "$log" | tail -1)"
	targets=$((targets + 1))
done < <(grep -roE --include='*_test.go' --exclude-dir=.cache '^func Fuzz[A-Za-z0-9_]*\(' . | sort)
[ $targets -gt 0 ] || { echo "no fuzz target found"; exit 1; }
echo "ok	$targets fuzz targets, $time each"
