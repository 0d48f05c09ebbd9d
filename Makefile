# Needs Node >= 20.19 and npm. Everything else is installed by the targets that need it.
SHELL := /bin/bash
.DEFAULT_GOAL := help

# The oldest Node that is supported, and the newest long-term one. npm ships both.
OLDEST_NODE := 20.19.6
NEWEST_NODE := 24.21.0
NODE_PACKAGE := node-linux-$(if $(filter aarch64 arm64,$(shell uname -m)),arm64,x64)
node_program = .cache/node-$(1)/node_modules/$(NODE_PACKAGE)/bin/node

# Program or file, and Debian package; a package is installed when its program is missing.
PYTHON_PACKAGES := /usr/lib/python3/dist-packages
TEST_PROGRAMS := dockerd=docker.io docker=docker.io containerd=containerd ctr=containerd \
	docker-registry=docker-registry skopeo=skopeo podman=podman runc=runc buildah=buildah nginx=nginx-light curl=curl openssl=openssl \
	slapd=slapd ldapadd=ldap-utils chromium=chromium dbus-daemon=dbus systemd-nspawn=systemd-container debootstrap=debootstrap \
	kubectl=kubernetes-client protoc=protobuf-compiler jq=jq /usr/bin/python3=python3 \
	/usr/include/google/protobuf/struct.proto=libprotobuf-dev $(PYTHON_PACKAGES)/grpc=python3-grpcio $(PYTHON_PACKAGES)/google/protobuf=python3-protobuf
BENCH_PROGRAMS := docker-registry=docker-registry nginx=nginx-light wrk=wrk curl=curl dockerd=docker.io containerd=containerd

INSTALLED := node_modules/.package-lock.json
# Built with one version of Node, whichever runs the build, so that the same sources give the same file.
EXECUTABLE := dist/drp-node
EXECUTABLE_SOURCES := $(shell find src deploy/executable -type f) package.json

.PHONY: help
help: ## List what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | \
		while IFS=$$'\t' read -r target text; do printf '  make %-10s %s\n' "$$target" "$$text"; done

.PHONY: demo
demo: compile ## Start a proxy with a sample image, pull through it, stay up
	@node dist/cli/main.js demo

# The tests of the parts on one Node of the two, and those with real clients on the other.
.PHONY: test
test: ## Run everything that CI runs
	@$(MAKE) --no-print-directory --jobs=4 ready-for-tests
	@test/support/run-suites.sh test:$(call node_program,$(OLDEST_NODE)) e2e:$(call node_program,$(NEWEST_NODE))

.PHONY: test-long
test-long: ## Run the same on the other Node, and the tests that take minutes
	@$(MAKE) --no-print-directory --jobs=4 ready-for-tests
	@test/support/run-suites.sh test:$(call node_program,$(NEWEST_NODE)) e2e:$(call node_program,$(OLDEST_NODE)) long:node

# Made side by side, since on a new machine most of it waits for a download.
.PHONY: ready-for-tests
ready-for-tests: check build test-programs .cache/systemd-root $(call node_program,$(OLDEST_NODE)) $(call node_program,$(NEWEST_NODE))

.PHONY: check
check: $(INSTALLED) ## Check types, lint, format and the direction of imports
	npx tsc -p tsconfig.json
	npx biome check --error-on-warnings .
	npx vitest run test/architecture

.PHONY: bench
bench: build bench-programs ## Measure against docker-registry and nginx (JSON=1 for JSON)
	@npm_config_loglevel=error npx tsc -p bench/tsconfig.json && node .cache/bench/bench/main.js $(if $(JSON),--json)

.PHONY: build
build: compile $(EXECUTABLE) ## Compile to dist/, and make the executable for nodes

.PHONY: compile
compile: $(INSTALLED)
	@npm run --silent build

$(EXECUTABLE): $(INSTALLED) $(EXECUTABLE_SOURCES) $(call node_program,$(NEWEST_NODE))
	@echo 'Making the executable for nodes, $@'
	@mkdir -p dist && node deploy/executable/build.mjs $(call node_program,$(NEWEST_NODE)) $@

.PHONY: clean
clean: ## Remove everything that was made here
	rm -rf dist node_modules .cache coverage

# For the test that builds it again.
.PHONY: print-executable-node
print-executable-node:
	@echo $(call node_program,$(NEWEST_NODE))

# npm writes this file last, so a lock file newer than it means that the packages are stale.
$(INSTALLED): package-lock.json package.json
	@echo 'Installing npm packages into node_modules/'
	@npm ci
	@touch $@

.PHONY: test-programs
test-programs:
	@test/support/install-packages.sh $(TEST_PROGRAMS)

.PHONY: bench-programs
bench-programs:
	@test/support/install-packages.sh $(BENCH_PROGRAMS)

# Made once, and kept. Tests boot it, each over a copy of its own.
.cache/systemd-root: | test-programs
	@test/support/make-systemd-root.sh $@

.cache/node-%/node_modules/$(NODE_PACKAGE)/bin/node:
	@echo 'Installing Node $* into .cache/'
	@npm install --silent --no-save --no-fund --no-audit --prefix .cache/node-$* $(NODE_PACKAGE)@$*
	@touch $@
