#!/bin/bash
# The main job, told as a story on a throwaway PostgreSQL: Harbor 1.8 is backed
# up, upgraded to 1.9.4, found wanting, and put back.
set -euo pipefail
cd "$(dirname "$0")/.."

. scripts/server.sh

PATH=$PWD:$PATH
# Harbor's core, a Job with envFrom, and harbordb read the same variables.
export POSTGRESQL_HOST=$DIR POSTGRESQL_USERNAME=postgres POSTGRESQL_DATABASE=registry HARBORDB_STORE=$OURS/store

say "A new PostgreSQL, and a Harbor 1.8.6 in use on it"
create registry
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
