# What one does with Bahi. `make` lists it. Every target is a line or two of plain cargo.

.DEFAULT_GOAL := help
.PHONY: help run test lint fmt bench soak verify tour pictures release

CARGO ?= cargo
LISTEN ?=
# Tests wait for banks and browsers as long as they compute: one more at a time than there are cores.
RUST_TEST_THREADS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
SERVE_ARGS = $(if $(LISTEN),--listen $(LISTEN))

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# The development profile, with the hot dependencies optimised: it shares its build with the tests,
# and answers a request in a millisecond. `make release` is for load.
run: ## start the ledger with demo accounts, in .bahi of this folder (LISTEN=127.0.0.1:9000)
	$(CARGO) run --locked --package ledger-api -- demo $(SERVE_ARGS)

test: ## run every test; they start a throwaway PostgreSQL and a browser of their own
	bash tests/setup/browser.sh
	bash tests/setup/accounting.sh
	$(CARGO) build --locked --workspace --bins
	RUST_TEST_THREADS=$(RUST_TEST_THREADS) $(CARGO) test --locked --workspace --no-fail-fast

lint: ## check format and lints
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings

fmt: ## format the sources
	$(CARGO) fmt --all

bench: ## measure, with optimisation, against a durable PostgreSQL
	$(CARGO) bench --locked

soak: ## measure what takes a quarter of an hour: a long load, a long snapshot, a crash
	$(CARGO) bench --locked --bench throughput -- 10 soak snapshot crash

verify: ## check the whole log of .bahi: chain, balances, rules
	$(CARGO) run --locked --quiet --package ledger-api -- audit verify

tour: ## run the README's tour against the ledger that `make run` started
	bash docs/tour.sh

pictures: ## take the pictures of docs/images again, of the demonstration
	$(CARGO) build --locked --workspace --bins
	BAHI_BROWSER=required BAHI_PICTURES=1 $(CARGO) test --locked --test it -- browser::pictures

release: ## build target/release/bahi
	$(CARGO) build --locked --release --package ledger-api
