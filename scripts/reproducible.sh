#!/bin/bash
# Builds in another folder what `make release image` has built here, and
# compares the bytes of all that would be published.
set -euo pipefail
cd "$(dirname "$0")/.."
[ -z "$(git status --porcelain --untracked-files=no)" ] || { echo "reproducible: what is built of a checkout with changes cannot be built again" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

published() { (cd "$1/dist" && find . -maxdepth 1 -type f | sort | xargs sha256sum); }

git clone --quiet --no-hardlinks . "$work/again"
git -C "$work/again" checkout --quiet --detach "$(git rev-parse HEAD)"
make -C "$work/again" -s release image >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
diff <(published .) <(published "$work/again") || { echo "two builds of one commit differ"; exit 1; }
published .
echo "two builds gave the same $(published . | wc -l) files"
