.DEFAULT_GOAL := help
.PHONY: help setup run test test-long test-keystone test-radosgw soak pictures compare lint bench lock test-release test-fresh test-systemd test-container clean

BIN := .venv/bin

# With RELEASE, run and test work in an empty Debian of that release (root, debootstrap), test-fresh and the like too.
export RELEASE
HERE := $(if $(RELEASE),scripts/in-release env -u RELEASE make $(if $(ARGS),ARGS='$(ARGS)') $(if $(STORE),STORE=$(STORE)))

help: ## What there is
	@sed -n 's/^#\{0,1\}\([a-zA-Z-]*\):.*## /  make \1	/p' $(MAKEFILE_LIST) | expand -t 22

setup: ## Install the Debian packages and .venv (needs root only when a package is missing)
	@scripts/setup

# Tests wait for half of their time, so four workers take two thirds of what two do on two processors.
WORKERS := 4

ifeq ($(RELEASE),)
run: setup ## Start the gateway with a sample photograph until Ctrl-C; STORE=swift has a real Swift behind it
	@$(BIN)/python scripts/run $(if $(STORE),--store $(STORE))

test: ## Every test; ARGS="-k name" goes to pytest; RELEASE=trixie runs this or `run` in that Debian
	@scripts/setup --dev
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)
else
run test:
	@$(HERE) $@
endif

test-release: ## The engine, gateway, front and store tests in an empty Debian of RELEASE, trixie by default
	@scripts/test-release $(ARGS)

test-long: export TIMES = 10
test-long: export KILLS = 200
test-long: export RESTARTS = 50
test-long: ## Every test, with ten times as many examples of damage, reads, restarts and kills (hours); ARGS as of test
	@$(MAKE) test

# The areas are folders of tests/. A Swift takes seconds to start, and a slow test takes seconds itself: both are left out.
AREAS := api cache engine front gateway page store
AREA_TESTS := $(AREAS:%=test-%)
.PHONY: $(AREA_TESTS)

#test-AREA: ## The quick tests of one area: api, cache, engine, front, gateway, page or store; ARGS="-m slow" has the others
$(AREA_TESTS): test-%:
	@scripts/setup --dev
	$(BIN)/python -m pytest tests/$* -m "not swift and not slow" -n 2 --dist loadfile $(ARGS)

test-keystone: ## The store against a real Keystone besides the real Swift (installs it below var/; a minute or two)
	@scripts/setup --dev
	$(BIN)/python -m pytest tests/swift/real_keystone.py $(ARGS)

test-radosgw: ## The store against a real Ceph RADOS gateway (root, debootstrap; installs it below var/, some minutes)
	@scripts/setup --dev
	$(BIN)/python -m pytest tests/swift/real_radosgw.py $(ARGS)

soak: ## Fuzz, compare the twins, kill processes, watch for growth: an hour or two; ARGS="parsers --minutes 1" a part
	@scripts/setup --dev
	$(BIN)/python -m tests.soak $(ARGS)

pictures: ## Make the pictures of docs/ again
	@scripts/setup --dev
	$(BIN)/python -m scripts.pictures

compare: ## Compare every picture of FOLDER=... with what libvips makes of it
	@scripts/setup --dev
	@$(BIN)/python -m scripts.compare "$(FOLDER)"

lint: ## Every linter
	@scripts/setup --dev
	@scripts/lint

bench: ## The measurements that docs/ quotes
	@scripts/setup --dev
	$(BIN)/python bench/run $(ARGS)

lock: ## Resolve pyproject.toml anew into requirements.lock and requirements-dev.lock
	@scripts/lock

test-fresh: ## Install, and run what README and docs show, in an empty Debian of RELEASE (root, debootstrap, five minutes)
	@scripts/test-fresh $(ARGS)

test-systemd: ## The same under a systemd of its own: start, reload, kill -9, stop (root, debootstrap, about three minutes)
	@scripts/test-systemd

test-container: ## The container, compose.yaml and deploy/kubernetes without an engine (root, debootstrap, about four minutes)
	@scripts/test-container

clean: ## Remove what was built; the pictures and caches under var/ stay
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find gateway nginx service tests scripts bench -name __pycache__ -type d -prune -exec rm -rf {} +
