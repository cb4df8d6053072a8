# What a developer runs. Each target prints what it does; `make` lists them.

# go leaves testdata out of ./..., so the fixtures' package is named.
PACKAGES := ./... ./testdata/sql

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
COMMIT  ?= $(shell git rev-parse HEAD 2>/dev/null || echo unknown)
LDFLAGS := -s -w -X main.version=$(VERSION) -X main.commit=$(COMMIT)

# Time for each fuzz target.
FUZZTIME ?= 5s
# Packages to run under the race detector; by default those without servers.
RACE ?= $(shell scripts/serverless.sh $(PACKAGES))
BENCH ?= .
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2

.PHONY: help build deps test race fuzz bench demo fmt lint check-mod clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

build: ## build ./harbordb, one static binary
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o harbordb ./cmd/harbordb

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
	rm -rf harbordb dist .cache
