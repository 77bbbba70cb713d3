# Refit's daily commands. `make help` lists them. A fresh machine needs Go, git
# and make; every other tool is pinned here and built when a target needs it.

SHELL       := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS   += --no-builtin-rules

# The version comes from git by -ldflags below, so that Go need not ask git itself
# (it refuses in a checkout that belongs to another user). All targets build in the
# same way, so that what one has compiled serves the others: without cgo, and without
# the paths of this machine.
export GOFLAGS := $(strip $(GOFLAGS) -buildvcs=false -trimpath)
export CGO_ENABLED := 0

VERSION = $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
COMMIT  = $(shell git rev-parse HEAD 2>/dev/null)
LDFLAGS = -s -w -X main.version=$(VERSION) -X main.commit=$(COMMIT)

# Tools: built once per version into a folder outside of the repository.
GOLANGCI_LINT_VERSION := v2.15.0
GOVULNCHECK_VERSION   := v1.8.0
TERMINAL_HTML_VERSION := v3.16.8
TEMPORAL_VERSION      := v1.5.1
# 2026-02-12, the last release that can be had as a module.
MINIO_VERSION         := v0.0.0-20260212201848-7aac2a2c5b7c
# The helm of most people, with which they go on after Refit.
HELM3_VERSION         := v3.20.2
TOOLS         := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/refit/bin
GOLANGCI_LINT := $(TOOLS)/golangci-lint-$(GOLANGCI_LINT_VERSION)
GOVULNCHECK   := $(TOOLS)/govulncheck-$(GOVULNCHECK_VERSION)
TERMINAL_HTML := $(TOOLS)/terminal-to-html-$(TERMINAL_HTML_VERSION)
TEMPORAL      := $(TOOLS)/temporal-$(TEMPORAL_VERSION)
MINIO         := $(TOOLS)/minio-$(MINIO_VERSION)
HELM3         := $(TOOLS)/helm-$(HELM3_VERSION)
# Where tests find the programs.
export REFIT_MINIO := $(MINIO)
export REFIT_HELM3 := $(HELM3)
JUPYTERHUB    := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/refit/jupyterhub
export REFIT_JUPYTERHUB := $(JUPYTERHUB)

# The program that brings up a real cluster.
TESTBED       := bin/refit-testbed
CLUSTER_CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/refit/cluster

PKG     ?= ./...
FUZZTIME ?= 10s

.PHONY: help
help: ## List the targets.
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

##
## Use
##

.PHONY: build
build: ## Build the program at bin/refit: static, without cgo.
	go build -ldflags '$(LDFLAGS)' -o bin/refit ./cmd/refit

.PHONY: guestbook
guestbook: ## Build both releases of the example service at bin/guestbook-1.4.0 and bin/guestbook-2.0.0.
	go build -ldflags '-s -w' -o bin/ ./examples/guestbook/cmd/...

.PHONY: demo
demo: $(HELM3) ## Upgrade a real JupyterHub on a real Kubernetes of this machine; needs root, builds both at the first time (KEEP=1).
	@hack/demo-hub.sh

.PHONY: demo-service
demo-service: ## Without root, in less than two minutes: upgrade the guestbook, then let an upgrade fail (FAIL=migrate, verify, unknown or lease; KEEP=1).
	@hack/demo-service.sh

.PHONY: demo-wiki
demo-wiki: build ## Show mistakes, known issues, refused plans, two stages, kill -9 in a step and going on.
	@hack/demo-wiki.sh

##
## Cluster
##

.PHONY: testbed
testbed:
	@go build -C test/cluster -o ../../$(TESTBED) .

.PHONY: cluster-up
cluster-up: testbed ## Bring a real Kubernetes up on this machine; the first time builds it (docs/how-to/testbed.md).
	@$(TESTBED) up

.PHONY: cluster-down
cluster-down: testbed ## Take it down and leave nothing of it.
	@$(TESTBED) down

.PHONY: cluster-status
cluster-status: testbed ## Say how it is.
	@$(TESTBED) status

.PHONY: clean-cluster
clean-cluster: testbed ## Take every cluster down; with CACHES=1 remove what was built for them too.
	@$(TESTBED) down --all
	@if [ -n "$(CACHES)" ]; then rm -rf "$(CLUSTER_CACHE)"; fi

.PHONY: bench-cluster
bench-cluster: testbed ## Print the figures of the cluster beside their goals (CYCLES=10; COLD=1 builds from empty caches too).
	@hack/bench-cluster.sh $(TESTBED) $(or $(CYCLES),10) $(COLD)

.PHONY: bench-jupyterhub
bench-jupyterhub: build testbed $(HELM3) ## Upgrade a JupyterHub by refit and by hand in turn, and print downtime and time of both; needs root (PAIRS=5).
	@hack/bench-jupyterhub.sh $(TESTBED) $(or $(PAIRS),5)

##
## Test
##

.PHONY: test
test: $(MINIO) $(JUPYTERHUB)/5.5.4 ## Run all tests (PKG=./internal/plan/... for some), then show the slowest packages.
	@hack/test.sh $(PKG)

.PHONY: test-race
test-race: $(MINIO) $(JUPYTERHUB)/5.5.4 ## Run all tests with the race detector; needs a C compiler.
	@CGO_ENABLED=1 hack/test.sh -race $(PKG)

.PHONY: e2e
e2e: build testbed $(HELM3) ## Test on real servers, the short set: the cluster, databases, hubs, fuzz targets; says how old the full one is.
	@hack/e2e.sh short $(TESTBED)

.PHONY: cluster-accept
cluster-accept: testbed ## Test the real cluster: build it (once), bring it up, test it, take it down.
	@hack/cluster-accept.sh $(TESTBED)

.PHONY: e2e-full
e2e-full: build testbed $(HELM3) ## Test on real servers, everything; what passed is added to test/e2e/RECORD.md.
	@hack/e2e.sh full $(TESTBED)

.PHONY: sim
sim: ## Run the simulator (SEEDS=20000 FIRST=1000000 MODE=mixed, small or aborts).
	@go test -c -o bin/sim.test ./internal/sim
	@cd internal/sim && GOGC=400 ../../bin/sim.test -test.run '^TestMany$$' -test.timeout 0 \
	  -seeds=$(or $(SEEDS),20000) -first=$(or $(FIRST),1000000) -mode=$(or $(MODE),mixed)

.PHONY: mutate
mutate: ## Switch off each rule that blocks, and see that a test fails for it.
	@go run -C hack ./mutate -root ..

KILLS ?= 500
SEED  ?= 1

.PHONY: crash
crash: ## Kill the real driver KILLS (default 500) times, from SEED on, and judge what is left.
	@go test ./test/crash -count=1 -timeout 0 -v -kills=$(KILLS) -seed=$(SEED) -steps=500

.PHONY: fuzz
fuzz: ## Run every fuzz target for FUZZTIME (default 10s) each.
	@hack/fuzz.sh $(FUZZTIME)

.PHONY: bench
bench: build ## Run the benchmarks and compare them with their targets (hack/bench/targets.txt).
	@go run -C hack ./bench -root ..

.PHONY: bench-peers
bench-peers: $(TEMPORAL) ## Run the same chains on Refit and on a Temporal dev server; needs Linux.
	@cd hack/bench-peers && go mod tidy -diff && go vet ./... && go test ./... >&2 && go run . -root ../.. -temporal $(TEMPORAL)

##
## Check
##

.PHONY: check
check: fmt-check lint vet tidy licenses vuln hack-test cluster-test ## Run every check that needs no test run.
	@echo "check: all passed"

.PHONY: lint
lint: $(GOLANGCI_LINT) ## Run the linters and the rules of the layout; what is off has its reason in .golangci.yml.
	@hack/linters-named.sh $(GOLANGCI_LINT)
	$(GOLANGCI_LINT) run $(PKG)
	go test ./internal/archtest

.PHONY: fmt
fmt: $(GOLANGCI_LINT) ## Format the Go files (gofumpt, gci, golines).
	$(GOLANGCI_LINT) fmt

.PHONY: fmt-check
fmt-check: $(GOLANGCI_LINT) ## Fail if a Go file is not formatted.
	@$(GOLANGCI_LINT) fmt --diff || { echo "fmt-check: files above are not formatted: run make fmt" >&2; exit 1; }

.PHONY: vet
vet: ## Run go vet.
	go vet $(PKG)

.PHONY: tidy
tidy: ## Fail if go.mod or go.sum is not tidy.
	go mod tidy -diff
	go -C hack mod tidy -diff
	go -C test/cluster mod tidy -diff
	go -C test/e2e mod tidy -diff

.PHONY: licenses
licenses: ## Fail if a module has a licence that is not on the allow-list.
	@go run -C hack ./licenses -root .. -check docs/reference/dependencies.md

.PHONY: vuln
vuln: $(GOVULNCHECK) ## Look for known vulnerabilities (GOVULNDB=file:///mirror; REFIT_VULN=required).
	@go run -C hack ./vulncheck -program $(GOVULNCHECK) -dir $(CURDIR) $(PKG)

# What of hack/bench-peers needs no module of a peer; the rest is built, vetted
# and tested by bench-peers alone.
PEERS_QUICK := ./internal/proc ./internal/sheet

.PHONY: hack-test
hack-test: $(GOVULNCHECK) ## Test the programs of hack/, also that the vulnerability check can fail.
	@cd hack && files="$$(gofmt -l .)" && if [ -n "$$files" ]; then echo "not formatted: $$files" >&2; exit 1; fi && go vet ./... && GOVULNCHECK=$(GOVULNCHECK) go test ./...
	@cd hack/bench-peers && go vet $(PEERS_QUICK) && go test $(PEERS_QUICK)

.PHONY: cluster-test
cluster-test: $(GOLANGCI_LINT) ## Check and test the modules test/cluster and test/e2e, without a cluster.
	@cd test/cluster && $(GOLANGCI_LINT) fmt --diff && $(GOLANGCI_LINT) run ./... && go vet ./... && go test ./...
	@cd test/cluster/build/programs && go vet ./...
	@cd test/e2e && $(GOLANGCI_LINT) fmt --diff && $(GOLANGCI_LINT) run ./... && go vet ./... && go test ./...

##
## Write
##

.PHONY: golden
golden: ## Rewrite the golden files; read the difference before you commit it.
	@hack/update.sh

.PHONY: docs
docs: ## Rewrite the generated parts of docs/.
	@hack/update.sh docs
	@go run -C hack ./licenses -root .. -write docs/reference/dependencies.md

.PHONY: screenshots
screenshots: build guestbook $(TERMINAL_HTML) ## Take the pictures of docs/images again; needs tmux, chromium and pngquant.
	@hack/screenshots.sh $(TERMINAL_HTML)

.PHONY: verify
verify: ## Rewrite everything generated and fail if that changed a file.
	@hack/verify.sh

.PHONY: clean
clean: ## Remove what the targets built here; the tools stay in their cache.
	rm -rf bin

$(GOLANGCI_LINT):
	@hack/install-tool.sh github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION) $@

$(TEMPORAL):
	@hack/install-tool.sh github.com/temporalio/cli/cmd/temporal@$(TEMPORAL_VERSION) $@

# A server that tests talk to, under the AGPL: it is only ever run as a program.
$(MINIO):
	@hack/install-tool.sh github.com/minio/minio@$(MINIO_VERSION) $@

$(HELM3):
	@hack/install-tool.sh helm.sh/helm/v3/cmd/helm@$(HELM3_VERSION) $@

# Hubs that tests talk to.
$(JUPYTERHUB)/5.5.4:
	@hack/jupyterhub.sh $(JUPYTERHUB)

$(TERMINAL_HTML):
	@hack/install-tool.sh github.com/buildkite/terminal-to-html/v3/cmd/terminal-to-html@$(TERMINAL_HTML_VERSION) $@

$(GOVULNCHECK):
	@hack/install-tool.sh golang.org/x/vuln/cmd/govulncheck@$(GOVULNCHECK_VERSION) $@
