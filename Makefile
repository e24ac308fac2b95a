# Needs Go, Node.js with npm, make and a shell. `make help` lists what there is to do.

SHELL := /bin/sh
GO ?= go
NPM ?= npm
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
# No compiler is needed, and the binary runs on any Linux of its architecture.
BUILD = CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false -ldflags '-s -w -X main.version=$(VERSION)'
VULN = $(GO) run golang.org/x/vuln/cmd/govulncheck@v1.9.0
SBOM = $(GO) run github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0
# What releases are made for: system and processor.
PLATFORMS = linux/amd64 linux/arm64 darwin/amd64 darwin/arm64
LINT = $(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

UI_PACKAGES = frontend/node_modules/.installed
UI_BUILT = frontend/dist/index.html
UI_SOURCES := $(shell find frontend/src frontend/public frontend/scripts frontend/index.html \
	frontend/*.ts frontend/tsconfig*.json -type f 2>/dev/null)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help build run test check e2e shots smoke bench chaos badinput fuzz vuln sbom release generate fmt clean FORCE \
	e2e-journeys e2e-screens test-go test-ui test-browser check-go check-lint check-generated check-ui check-shell check-licences

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: bin/orq ## Build the web interface and bin/orq, which contains it

run: build ## Build, then start everything on this machine; open the address it prints
	@exec bin/orq all

test: test-go test-ui test-browser ## Run all tests; what this machine cannot run says SKIP

check: check-go check-lint check-generated check-ui check-shell check-licences ## Look for mistakes without running the program

e2e: e2e-journeys e2e-screens ## Drive the real program in a real browser

e2e-journeys: bin/orq $(UI_PACKAGES) # what people do, one after another
	cd frontend && $(NPM) run --silent test:e2e

e2e-screens: bin/orq $(UI_PACKAGES) # what every screen looks like, on a program that nothing else was done to
	cd frontend && $(NPM) run --silent test:screens

shots: bin/orq $(UI_PACKAGES) ## Take pictures of every screen into frontend/shots, and those of the documents
	cd frontend && $(NPM) run --silent shots

smoke: bin/orq ## Go the whole way with the real program, by curl
	@sh scripts/smoke.sh

bench: ## Measure what it does, in about ten minutes; prints JSON. SHORT=1 for less, ONLY=name,name for some
	@$(GO) build -o bin/bench ./pkg/testkit/cmd/bench
	@exec bin/bench $(if $(SHORT),-times 1 -schedules 100000 -due 10000 -runs 500000 -quiet 10s) $(if $(ONLY),-only $(ONLY))

chaos: bin/orq bin/chaos/next bin/chaos/panicking ## Break it under load and count the runs; SHORT=1 for less, ONLY=name,name for some
	@$(GO) build -o bin/chaos/chaos ./pkg/testkit/cmd/chaos
	@exec bin/chaos/chaos $(if $(SHORT),-short) $(if $(ONLY),-only $(ONLY))

badinput: bin/orq ## Send what breaks programs to every operation of the real program; SHORT=1 for less
	@$(GO) build -o bin/badinput ./pkg/testkit/cmd/badinput
	@exec bin/badinput $(if $(SHORT),-short)

fuzz: ## Look for input that breaks a decoder, a minute for each; TIME=10s for another time, ONLY=Name for some
	@sh scripts/fuzz.sh

vuln: $(UI_PACKAGES) ## Look for known holes in what the program is made of; asks vuln.go.dev and the npm registry
	$(VULN) ./...
	cd frontend && $(NPM) audit --omit=dev --audit-level=high

sbom: $(UI_BUILT) ## List what the program is made of, as CycloneDX, into bin/sbom
	@mkdir -p bin/sbom
	$(SBOM) app -json -licenses -main . -output bin/sbom/orq.cdx.json .
	cd frontend && $(NPM) sbom --sbom-format cyclonedx --omit dev >../bin/sbom/web.cdx.json

release: $(UI_BUILT) sbom ## Build for all platforms, with checksums, licences and the lists of parts, into bin/release
	@rm -rf bin/release && mkdir -p bin/release
	for platform in $(PLATFORMS); do \
	  GOOS=$${platform%/*} GOARCH=$${platform#*/} $(BUILD) -o bin/release/orq-$${platform%/*}-$${platform#*/} . || exit 1; \
	done
	$(GO) run ./pkg/testkit/cmd/licences -texts >bin/release/THIRD_PARTY.txt
	cp bin/sbom/*.json bin/release/
	cd bin/release && sha256sum * >SHA256SUMS

generate: $(UI_PACKAGES) ## Write the generated code again, from api/openapi.yaml
	$(GO) generate ./...
	cd frontend && $(NPM) run --silent gen:api

fmt: $(UI_PACKAGES) ## Format Go and the web interface's code
	$(LINT) fmt
	cd frontend && $(NPM) run --silent format

clean: ## Remove what the other targets made, but not downloaded packages
	rm -rf bin frontend/coverage frontend/shots frontend/test-results frontend/playwright-report
	find frontend/dist -mindepth 1 ! -name .gitkeep -delete

bin/orq: $(UI_BUILT) FORCE
	$(BUILD) -o $@ .

# The builds that make chaos needs besides: another version, and one that has the action panic.
bin/chaos/next: VERSION := $(VERSION)-next
bin/chaos/panicking: BUILD += -tags chaos
bin/chaos/next bin/chaos/panicking: $(UI_BUILT) FORCE
	$(BUILD) -o $@ .

$(UI_PACKAGES): frontend/package-lock.json frontend/package.json
	cd frontend && $(NPM) ci --no-audit --no-fund
	@touch $@

$(UI_BUILT): $(UI_PACKAGES) $(UI_SOURCES)
	cd frontend && $(NPM) run --silent build
	@touch $@

test-go: $(UI_BUILT) # the tests look into the interface that the binary carries
	@$(GO) run ./pkg/testkit/cmd/with-postgres -- sh scripts/go-test.sh

test-ui: $(UI_PACKAGES)
	cd frontend && $(NPM) run --silent test:unit

# After the others, which a browser would slow down.
test-browser: test-go test-ui
	@if sh scripts/find-browser.sh >/dev/null; then $(MAKE) e2e; \
	else echo 'SKIP browser tests: no Chromium was found (try: apt install chromium)'; fi

check-go:
	@unformatted=$$(gofmt -l $$(git ls-files '*.go' 2>/dev/null || find . -name '*.go' ! -path './frontend/node_modules/*')); \
	if [ -n "$$unformatted" ]; then echo "not formatted (try: make fmt):"; echo "$$unformatted"; exit 1; fi
	$(GO) vet ./...

check-lint: check-go
	$(LINT) run

check-generated: $(UI_PACKAGES)
	@sh scripts/check-generated.sh

check-ui: $(UI_PACKAGES)
	cd frontend && $(NPM) run --silent typecheck && $(NPM) run --silent lint && $(NPM) run --silent format:check

check-licences: $(UI_PACKAGES)
	@$(GO) run ./pkg/testkit/cmd/licences

check-shell:
	@if command -v shellcheck >/dev/null; then shellcheck scripts/*.sh .ci/run; \
	else echo 'SKIP shell scripts: no shellcheck was found (try: apt install shellcheck)'; fi

FORCE:
