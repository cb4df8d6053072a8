#!/bin/bash
# Prints those of the given packages whose tests start no server: quick enough
# to run a second time, under the race detector.
set -euo pipefail
cd "$(dirname "$0")/.."
go list -f '
{{- $servers := false}}
{{- range .TestImports}}{{if or (eq . "github.com/harbordb/harbordb/internal/dbtest") (eq . "github.com/harbordb/harbordb/internal/registrytest")}}{{$servers = true}}{{end}}{{end}}
{{- range .XTestImports}}{{if or (eq . "github.com/harbordb/harbordb/internal/dbtest") (eq . "github.com/harbordb/harbordb/internal/registrytest")}}{{$servers = true}}{{end}}{{end}}
{{- if and (or .TestGoFiles .XTestGoFiles) (not $servers)}}{{.ImportPath}}{{end}}' "$@" |
	grep -v -e /internal/arch -e /internal/dbtest -e /internal/registrytest -e /scripts/ | sed '/^$/d'
