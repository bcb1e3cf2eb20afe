# The commands of this project. CONTRIBUTING.md explains when to use them.

SHELL       := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:

GO       ?= go
# The packages of all modules of go.work.
PACKAGES ?= work
FUZZTIME ?= 30s
BENCH    ?= .
COUNT    ?= 1
SEED     ?= 1
N        ?= 200000
ARGS     ?=
ROUNDS   ?= 100
ROWS     ?=
DURATION ?= 10m
MUTANT   ?=
STEPS    ?= 20000000
RELEASE  ?= v0.1.0
# The tags of other modules begin with their folders.
VERSION  ?= $(shell git describe --tags --match 'v[0-9]*' --always --dirty 2>/dev/null || echo devel)

# The server on which the tests run: empty for the installed one, valkey or redis8 for
# the servers that install-test-tools unpacks.
REDIS         ?=
SERVER_valkey := $(or $(CATBRIDGE_VALKEY_SERVER),$(CURDIR)/bin/servers/valkey-server)
SERVER_redis8 := $(or $(CATBRIDGE_REDIS8_SERVER),$(CURDIR)/bin/servers/redis8-server)
ifneq ($(REDIS),)
export CATBRIDGE_REDIS_SERVER := $(or $(SERVER_$(REDIS)),$(error REDIS must be valkey, redis8 or empty, not $(REDIS)))
endif

STARTED  := $(shell date +%s)
# The race detector needs a C compiler.
RACE     := $(if $(shell command -v "$${CC:-gcc}"),-race)

TESTS := bin/gotestsum --format pkgname --format-hide-empty-pkg

# Where memory is not scarce, less garbage collection makes compilers and the tests in virtual
# time faster by a sixth.
QUICK := GOGC=400

# The machine is busy if less than this percentage of the processors' time is idle before make race. Tests
# that wait for processes and servers would then fail beside others: the parts of the suite run one
# after the other, with fewer tests at once, which wait longer. For the number of tests of fleets see
# test/harness.
IDLE  ?= 60
BUSY  := $(filter 1,$(CATBRIDGE_TEST_BUSY))
LIMIT := -timeout $(if $(BUSY),120m,40m)
FEW   := $(if $(BUSY),-p 1 -parallel 1)

# Tests that print the number of cases from the official SDKs' own data, and gates that do
# not work with the race detector.
CONFORMANCE := Matrices|Tables|ConfigCheck|EvaluationLogs|OfficialCacheFormat|Governance
ALLOCATION  := Alloc
# Tests of many random cases in virtual time, which try few with the race detector.
PROPERTIES  := ^(TestWhatIsCurrentFollowsTheCDNAndTheOperators|TestTheHistoryLeadsBackToEveryVersion)$$

# The tests of the rows in ROWS, such as F1,F12; of all rows if it is empty.
comma       := ,
FAULTS      := ^TestF($(if $(ROWS),$(shell printf '%02d|' $(patsubst 0%,%,$(subst F,,$(subst $(comma), ,$(ROWS))))),[0-9][0-9]|)x)_
faults soak: REPORT ?= dist/$@.md

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-20s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: ## run the demo: two leaders, three followers, a CDN and a Redis in one process (ARGS=--once)
	$(GO) run ./cmd/catbridge demo $(ARGS)

.PHONY: build
build: ## build the static binary in bin/
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w -X github.com/catbridge/catbridge/internal/version.release=$(VERSION)' -o bin/catbridge ./cmd/catbridge

.PHONY: notices
notices: ## write the licences of all modules in the programs to THIRD_PARTY_NOTICES.txt
	$(GO) run ./test/notices

.PHONY: test
test: install-test-tools lint gates race vuln ## run every check that must pass before a commit reaches main
	@echo "==> all passed, after $$(($$(date +%s) - $(STARTED))) s$$([[ ! -e bin/vuln-not-checked ]] || echo ', but known vulnerabilities were not checked: their database is unreachable')"

.PHONY: tools
tools: ## build the pinned tools of tools/checks in bin/
	@GOWORK=off $(GO) build -C tools/checks -o $(CURDIR)/bin/ tool

# The tools of a release, each at the versions of its own module. The first build of each takes minutes.
RELEASE_TOOLS := $(addprefix bin/,actionlint golangci-lint goreleaser helm)
.PHONY: $(RELEASE_TOOLS)
$(RELEASE_TOOLS): bin/%:
	@[[ -x $@ ]] || echo "==> go build of $*, which takes minutes"
	@GOWORK=off $(GO) build -C tools/$* -o $(CURDIR)/bin/ tool

.PHONY: tidy
tidy: ## run go mod tidy for every module, after a change of imports
	$(GO) run ./test/modules tidy

.PHONY: release-check
release-check: ## try all of a release that works on this machine, and say what was not tried (RELEASE=v0.1.0)
	@RELEASE=$(RELEASE) .ci/release-check

.PHONY: golangci-lint
golangci-lint: bin/golangci-lint ## run golangci-lint with the rules of .golangci.yml; the first time takes minutes
	@echo "==> golangci-lint"
	@bin/golangci-lint run $$($(GO) list -f '{{.Dir}}' $(PACKAGES))

.PHONY: workflows
workflows: bin/actionlint ## check the workflows in .github
	@echo "==> actionlint"
	@bin/actionlint .github/workflows/*.yml

# The completions and pages are the same on every system. Units of packages start the program of the package.
.PHONY: release-files
release-files: build ## write the shell completions, man pages and systemd units of a release to dist/files
	@rm -rf dist/files; mkdir -p dist/files/completions dist/files/man dist/files/systemd
	@for file in catbridge.bash _catbridge catbridge.fish catbridge.ps1; do \
		case $$file in _*) shell=zsh ;; *.ps1) shell=powershell ;; *) shell=$${file##*.} ;; esac; \
		bin/catbridge completion $$shell > dist/files/completions/$$file; \
	done
	@SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) $(GO) test -count=1 -run '^TestEveryCommandHasAManPage$$' ./cmd/catbridge -args -man $(CURDIR)/dist/files/man
	@gzip -9 -n dist/files/man/*
	@for unit in deploy/systemd/catbridge.service deploy/serve/catbridge-serve.service; do \
		name=$${unit##*/}; { \
			echo "# Before systemctl enable --now $${name%.service}: put sdk-keys and redis-password into /etc/catbridge/credentials,"; \
			echo "# readable by root only, and set redis.url in /etc/catbridge. See man catbridge."; echo; \
			awk '!body { body = $$0 == ""; next } { sub("^ExecStart=/usr/local/bin/", "ExecStart=/usr/bin/"); print }' $$unit; \
		} > dist/files/systemd/$$name; \
	done

.PHONY: packages
packages: bin/goreleaser chart ## build the archives and packages of a release in dist/release, without publishing, and check them (RELEASE=v0.1.0)
	@echo "==> goreleaser"
	@bin/goreleaser check --quiet
	@GORELEASER_CURRENT_TAG=$(RELEASE) bin/goreleaser release --snapshot --clean
	@$(GO) run ./test/release check dist/release $(RELEASE)

.PHONY: publish
publish: bin/goreleaser chart ## publish the archives and packages of the tags at this commit; only the workflow does so (RELEASE=v0.1.0)
	@$(GO) run ./test/modules tagged $(RELEASE)
	@mkdir -p dist; $(GO) run ./test/release notes $(RELEASE) > dist/notes.md
	@GORELEASER_CURRENT_TAG=$(RELEASE) bin/goreleaser release --clean --release-notes=dist/notes.md
	@$(GO) run ./test/release check dist/release $(RELEASE)

.PHONY: image
image: ## build the image with Docker, and run the demo in it
	docker build --build-arg VERSION=$(VERSION) --tag catbridge .
	docker run --rm catbridge version
	docker run --rm catbridge demo --once

IMAGE ?= ghcr.io/catbridge/catbridge
.PHONY: publish-image
publish-image: ## build the image for amd64 and arm64, and push it; only the workflow does so (RELEASE=v0.1.0)
	docker buildx build --platform linux/amd64,linux/arm64 --build-arg VERSION=$(RELEASE) --provenance mode=max --sbom true \
		--tag $(IMAGE):$(RELEASE:v%=%) $(if $(findstring -,$(RELEASE)),,--tag $(IMAGE):latest) --push .

.PHONY: playground
playground: ## start the services of docker-compose.yml, check them and stop them
	@.ci/playground

.PHONY: release
release: ## prepare a release: the modules require each other at its version, which the Helm chart has, too (RELEASE=v0.1.0)
	$(GO) run ./test/modules require $(RELEASE)

.PHONY: release-dry-run
release-dry-run: ## release the last commit to a local module proxy, and use every module from there (RELEASE=v0.1.0)
	@$(GO) run ./test/modules dry-run $(RELEASE)

.PHONY: api
api: ## write the files in api, which contain the exported API
	$(GO) test -count=1 -run '^TestAPIIsThatOfTheFiles$$' ./test/repo -args -update

.PHONY: docs
docs: ## write the pages that are generated from the code: settings, HTTP API, metrics, events and formats
	$(GO) test -count=1 -run '^TestThePageLists' ./cmd/catbridge/internal/settings ./metrics ./test/repo -args -update

.PHONY: chart-files
chart-files: ## write the generated files of the Helm chart: the settings in its schema, its rules and dashboard, the values in its README.md
	$(GO) test -count=1 -run '^TestTheCharts' ./cmd/catbridge/internal/settings ./test/repo -args -update

.PHONY: helm-check
helm-check: bin/helm ## lint the Helm chart, render it with many values, and check every object; the first time, Helm is built, which takes minutes
	@echo "==> the Helm chart"
	@$(GO) test -count=1 ./test/chart

.PHONY: chart
chart: helm-check ## check the Helm chart, and pack it into dist/chart (RELEASE=v0.1.0)
	@rm -rf dist/chart; mkdir -p dist/chart
	@bin/helm package deploy/helm/catbridge --destination dist/chart --version $(RELEASE:v%=%) --app-version $(RELEASE:v%=%)

.PHONY: screenshots
screenshots: install-test-tools ## write the pictures of the dashboard in docs/dashboard
	$(GO) test -count=1 -run '^TestDashboardScreenshots$$' ./test/interop -args -screenshots $(CURDIR)/docs/dashboard

.PHONY: install-test-tools
install-test-tools: ## install missing tools of the tests, except Go
	@.ci/install-test-tools

# The packages to lint, and the files whose words are checked: all if it is empty.
LINT_PACKAGES       ?= $(PACKAGES)
LINT_FILES          ?=

# A lint that passed sets the time of bin/linted to that of its start.
.PHONY: lint
lint: tools ## run gofmt, go vet, go fix and staticcheck, and check words
	@: > bin/linting
	@echo "==> gofmt"
	@unformatted=$$(gofmt -l .); [[ -z $$unformatted ]] || { echo "not formatted (run make fix):"; echo "$$unformatted"; exit 1; }
ifneq ($(strip $(LINT_PACKAGES)),)
	@echo "==> go vet"
	@$(GO) vet $(LINT_PACKAGES)
	@echo "==> go fix -diff"
	@$(GO) fix -diff $(LINT_PACKAGES) || { echo "code can be modernized (run make fix)"; exit 1; }
	@echo "==> staticcheck"
	@bin/staticcheck $(LINT_PACKAGES)
endif
	@echo "==> words"
	@$(GO) run ./test/words $(LINT_FILES)
	@mv bin/linting bin/linted

.PHONY: fix
fix: ## format and modernize the code
	$(GO) fix $(PACKAGES)
	gofmt -w .

.PHONY: gates
gates: ## run the conformance tests with counts, and the allocation gates, without the race detector
	@echo "==> conformance and allocation gates"
	@$(GO) test -v -run '$(CONFORMANCE)|$(ALLOCATION)' ./cachekeys ./evaluate ./follower ./internal/cdn \
		| grep -vE '^ *(=== |--- PASS|PASS$$)'

# The tests of fleets start many processes and mostly wait. Unit tests yield the processors
# to them. Virtual time needs no processor at a certain moment, and much less of it without
# the race detector; make race-virtual uses it. The model runs one coroutine at a time. The shell makes its background jobs ignore an interrupt,
# unless the trap is reset.
.PHONY: race
race: tools ## run the whole suite in random order: units beside fleets, virtual and servers, or one after the other if the machine is busy
	@mkdir -p bin/tests; rm -f bin/tests/*; status=0; idle=$$(.ci/idle); \
	case $${CATBRIDGE_TEST_BUSY:-$$((idle < $(IDLE)))} in \
	1) \
		echo "==> the machine is busy ($$idle % idle): one part after the other, fewer tests at once, longer bounds"; \
		CATBRIDGE_TEST_BUSY=1 $(MAKE) --no-print-directory --keep-going fleets virtual servers units || status=$$? ;; \
	*) \
		echo "==> the machine is idle enough ($$idle % idle): units beside fleets, virtual and servers"; \
		(trap - INT; exec nice -n 3 $(MAKE) --no-print-directory units) & \
		$(MAKE) --no-print-directory fleets virtual servers || status=$$?; \
		wait $$! || status=$$? ;; \
	esac; \
	$(GO) run ./test/summary bin/tests/*.json; exit $$status

FLEETS := $(TESTS) --hide-summary=skipped

.PHONY: units
units: tools $(if $(filter work,$(PACKAGES)),bin/helm) ## run the tests of all packages but those of fleets and the model, with the race detector
	@echo "==> units: go test $(or $(RACE),[no C compiler: no -race]) -shuffle=on (some minutes)"
	@mkdir -p bin/tests; GOGC=200 $(TESTS) --jsonfile bin/tests/units.json -- $(RACE) -shuffle=on $(FEW) $(LIMIT) \
		$$($(GO) list $(PACKAGES) | grep -vE '/test/(e2e|interop|model|servers)$$')

.PHONY: fleets
fleets: tools ## run the tests of fleets in real time, with the race detector
	@echo "==> fleets: go test $(or $(RACE),[no C compiler: no -race]) -shuffle=on (some minutes)"
	@mkdir -p bin/tests; status=0; $(FLEETS) --jsonfile bin/tests/fleets.json -- $(RACE) -shuffle=on $(LIMIT) ./test/e2e -args -time=real || status=$$?; \
		$(FLEETS) --jsonfile bin/tests/interop.json -- $(RACE) -shuffle=on $(LIMIT) ./test/interop || status=$$?; exit $$status

.PHONY: virtual race-virtual
virtual: ## run the tests of fleets in virtual time, the model, and what the leader's property tests try without the race detector
race-virtual: ## the same with the race detector; some minutes
virtual race-virtual: tools
	@echo "==> fleets in virtual time, the model and the leader's properties"
	@mkdir -p bin/tests; status=0; $(QUICK) $(FLEETS) --jsonfile bin/tests/$@.json -- $(if $(filter race-%,$@),$(RACE)) -shuffle=on $(LIMIT) ./test/e2e -args -time=virtual || status=$$?; \
		$(QUICK) $(FLEETS) --jsonfile bin/tests/model.json -- -shuffle=on $(LIMIT) ./test/model || status=$$?; \
		$(QUICK) $(FLEETS) --jsonfile bin/tests/properties.json -- -shuffle=on $(LIMIT) -run '$(PROPERTIES)' ./leader || status=$$?; exit $$status

.PHONY: servers
servers: ## run the core of the suite on Redis 7, Redis 8 and Valkey 8, with counts
	@echo "==> the core on every server (some minutes)"
	@$(GO) test -count=1 -v $(LIMIT) -run '^TestF43_' ./test/servers | grep -vE '^ *(=== |--- PASS|PASS$$)'

# go test takes the results of packages that no change can reach from its cache.
.PHONY: check
check: tools ## lint what changed, and run the tests that start no server and no program: the loop while you write code
	@$(QUICK) .ci/lint-changed
	@echo "==> go test -short"
	@$(QUICK) $(TESTS) --hide-summary=skipped -- -short -vet=off $(PACKAGES)
	@echo "==> all passed, after $$(($$(date +%s) - $(STARTED))) s"

.PHONY: differential
differential: ## compare random cases with the official SDK for Node (SEED=1 N=200000)
	SEED=$(SEED) N=$(N) $(GO) test -count=1 -timeout 0 -v -run '^TestDifferential$$' ./test/interop

.PHONY: model
model: ## run the protocol's model for long, also with each rule removed (STEPS=20000000)
	STEPS=$(STEPS) $(GO) test -count=1 -timeout 0 -v -run '^TestModel' ./test/model | grep -vE '^ *=== '

.PHONY: mutants
mutants: ## build without one guard at a time; a test must fail for each; some minutes (MUTANT=pattern)
	$(GO) run ./test/mutants -run '$(MUTANT)'

# In the package's folder, go test prints the output of tests without delay.
.PHONY: faults
faults: install-test-tools ## run every fault many times, and write a report (ROUNDS=100 SEED=1 ROWS=F1,F2 REDIS=valkey REPORT=dist/faults.md)
	@mkdir -p $(dir $(REPORT)); status=0; $(GO) -C test/e2e test -count=1 -timeout 0 -run '$(FAULTS)' -args \
		-rounds=$(ROUNDS) -seed=$(SEED) -report=$(abspath $(REPORT)) || status=$$?; \
		ROUNDS=$(ROUNDS) REPORT=$(abspath $(REPORT)) $(GO) test -count=1 -timeout 0 -run '$(FAULTS)' ./test/interop || status=$$?; \
		cat $(REPORT); exit $$status

.PHONY: soak
soak: ## run leaders and 200 followers under random faults, and write a report (DURATION=10m SEED=1 REPORT=dist/soak.md)
	@mkdir -p $(dir $(REPORT)); status=0; $(GO) test -count=1 -timeout 0 -run '^TestSoak$$' ./test/e2e -args \
		-soak=$(DURATION) -seed=$(SEED) -report=$(abspath $(REPORT)) || status=$$?; cat $(REPORT); exit $$status

.PHONY: vuln
vuln: tools ## check for known vulnerabilities, if their database is reachable
	@echo "==> govulncheck"
	@.ci/vulncheck $(PACKAGES)

.PHONY: fuzz
fuzz: ## run every fuzz test, one after the other (FUZZTIME=30s each)
	@for package in $$($(GO) list $(PACKAGES)); do \
		for name in $$($(GO) test -list '^Fuzz' $$package | grep '^Fuzz' || true); do \
			echo "==> $$package $$name"; \
			$(GO) test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) $$package; \
		done; \
	done

.PHONY: bench
bench: ## compare the bridge with the floor, quickly (BENCH=pattern); pages and plots in bin/bench
	rm -rf bin/bench
	$(call measure,bin/bench,)

.PHONY: bench-full
bench-full: ## the same in full, less than half an hour per run; pages and plots in docs (COUNT=3 runs)
	rm -f docs/bench/results.json
	$(call measure,docs/bench,-full)

.PHONY: bench-report
bench-report: ## generate the pages and plots of docs again from the measured results
	$(GO) run ./test/bench/report -results docs/bench/results.json -out docs

# Arguments: the folder of the results, and the plan. Nothing else should run on the machine.
# The pages say what a failed case did not measure.
define measure
	@ulimit -n "$$(ulimit -Hn)"; status=0; $(GO) test -run '^TestReadsAfterAChange' -bench '$(BENCH)' -benchtime 1x -count $(COUNT) -timeout 5h \
		./test/bench -args -results "$$PWD/$(1)/results.json" $(2) || status=$$?; \
	$(GO) run ./test/bench/report -results $(1)/results.json -out $(if $(2),docs,$(1)); exit $$status
endef

.PHONY: microbench
microbench: ## run the packages' own benchmarks (BENCH=pattern COUNT=1)
	$(GO) test -run '^$$' -bench '$(BENCH)' -benchmem -count $(COUNT) $$($(GO) list $(PACKAGES) | grep -v /test/bench)

.PHONY: clean
clean: ## remove the output of the other targets
	rm -rf bin dist test/interop/node_modules
