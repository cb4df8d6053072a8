#!/bin/bash
# Builds into dist/ what a release holds: for each architecture a static binary
# in an archive, a Debian package and a bill of materials; the checksums. Nothing
# in it depends on the machine or the hour, so that two builds of one commit are
# the same bytes (scripts/reproducible.sh). `make release` calls it, after the
# manual pages and completion scripts are in build/.
#
# usage: scripts/release.sh VERSION COMMIT EPOCH
set -euo pipefail
cd "$(dirname "$0")/.."
NFPM=github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.48.0
CYCLONEDX=github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0
# A version of Debian's begins with a digit; one without a tag comes before all.
case $1 in
v[0-9]*) version=${1#v} ;;
*) version=0.0.0~git$1 ;;
esac
commit=$2 epoch=$3
export VERSION=$version SOURCE_DATE_EPOCH=$epoch # for nfpm

rm -rf dist
mkdir -p dist
for ARCH in amd64 arm64; do
	export ARCH
	binary=build/linux_$ARCH/harbordb name=harbordb_${version}_linux_$ARCH
	CGO_ENABLED=0 GOOS=linux GOARCH=$ARCH go build -trimpath -ldflags "-s -w -X main.version=$version -X main.commit=$commit" -o "$binary" ./cmd/harbordb
	tar --sort=name --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX --mtime="@$epoch" -C "build/linux_$ARCH" -c harbordb \
		-C "$PWD" LICENSE README.md -C build man completion | gzip -9n >"dist/$name.tar.gz"
	go run "$NFPM" package --config packaging/nfpm.yaml --packager deb --target dist/ >/dev/null
	# It says by which bytes of itself it was made, so they must be the same.
	GOFLAGS="${GOFLAGS:-} -trimpath" go run "$CYCLONEDX" bin -json -noserial -notimestamp -version "v$version" -output "dist/$name.cdx.json" "$binary" 2>/dev/null
done
(cd dist && sha256sum ./*.* | sed 's,\./,,' >SHA256SUMS)
cat dist/SHA256SUMS
