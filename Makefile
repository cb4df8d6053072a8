# What a developer runs. Each target prints what it does; `make` lists them.

# go leaves testdata out of ./..., so the fixtures' package is named.
PACKAGES := ./... ./testdata/sql

VERSION ?= $(shell git describe --tags --always --dirty --abbrev=12 2>/dev/null || echo unknown)
COMMIT  ?= $(shell git rev-parse HEAD 2>/dev/null || echo unknown)
# The time of the commit, and no later, is the time of all that is built of it.
EPOCH   ?= $(shell git show -s --format=%ct 2>/dev/null || echo 0)
DATE    ?= $(shell date -u -d @$(EPOCH) +%Y-%m-%d)
LDFLAGS := -s -w -X main.version=$(VERSION) -X main.commit=$(COMMIT)

# Time for each fuzz target.
FUZZTIME ?= 5s
# Packages to run under the race detector; by default those without servers.
RACE ?= $(shell scripts/serverless.sh $(PACKAGES))
BENCH ?= .
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2

.PHONY: help build image package-files release fresh-debian deps docs test race fuzz bench demo fmt lint check-mod clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

build: ## build ./harbordb, one static binary
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o harbordb ./cmd/harbordb

image: build ## build the container image as dist/harbordb-image.tar, and load it where docker runs
	go run ./scripts/image -binary harbordb -version '$(VERSION)' -revision '$(COMMIT)' -created $(EPOCH) -o dist/harbordb-image.tar
	@! docker info >/dev/null 2>&1 || docker load --input dist/harbordb-image.tar

package-files: build
	go run ./scripts/man -from docs/reference -to build/man -date '$(DATE)' -version '$(VERSION)'
	@mkdir -p build/completion
	@for shell in bash zsh fish; do ./harbordb completion $$shell >build/completion/harbordb.$$shell || exit 1; done

release: package-files ## build what a release holds into dist/: binaries, deb, SBOMs, checksums
	@scripts/release.sh '$(VERSION)' '$(COMMIT)' $(EPOCH)

fresh-debian: ## install the deb of dist/ on a fresh Debian, back up, upgrade, restore, remove
	@scripts/deps.sh release
	@scripts/fresh-debian.sh dist/*_amd64.deb

docs: ## write docs/reference anew from the commands
	go test ./cmd/harbordb -run '^TestReferenceIsUpToDate$$' -update

deps: ## install what the tests need and this machine lacks
	@scripts/deps.sh test

test: deps ## run all tests against real servers; a skipped test is a failure
	go vet $(PACKAGES)
	@go run ./scripts/gotest -count=1 -timeout 20m $(PACKAGES)

race: ## run the tests that need no server under the race detector
	CGO_ENABLED=1 go test -race -timeout 20m $(RACE)

fuzz: ## fuzz every target for FUZZTIME
	@scripts/fuzz.sh $(FUZZTIME)

bench: deps ## run the benchmarks, or those that match BENCH
	go test -run '^$$' -bench '$(BENCH)' -benchmem -timeout 60m $(PACKAGES)

demo: build ## break a Harbor database on a real PostgreSQL and repair it
	@scripts/deps.sh demo
	@scripts/demo.sh

fmt: ## format the code
	gofmt -w .

lint: ## gofmt, go vet, staticcheck
	@unformatted=$$(gofmt -l .) && test -z "$$unformatted" || { echo "not formatted (make fmt): $$unformatted"; exit 1; }
	go vet $(PACKAGES)
	go run $(STATICCHECK) $(PACKAGES)

check-mod: ## check that go.mod and go.sum are complete and unaltered
	go mod tidy -diff
	go mod verify

clean: ## remove what was built and what tests have cached
	rm -rf harbordb build dist .cache
