# Postrider: what people type. `make` alone says what there is.

.DEFAULT_GOAL := help
.PHONY: help build run test console docs reference deploy screenshots fuzz chaos upgrade bench lint fmt sqlx openapi release

help: ## What there is
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

build: ## The program with its pages, as `make run` starts it: target/debug/postrider
	@echo "Looking at what is there."
	@scripts/ensure-tools
	@scripts/build-console
	@scripts/build-docs
	@echo "Building the program; the first time takes some minutes."
	@env -u DATABASE_URL cargo build

run: build ## Everything a newcomer needs, then a demonstration: events stored, signed, delivered, retried, replayed
	@env -u DATABASE_URL cargo run -- dev

# The linter compiles what the tests run, as `cargo clippy` has it check: so nothing is compiled twice.
test: export RUSTC_WORKSPACE_WRAPPER = clippy-driver
test: export CLIPPY_ARGS = -Dwarnings__CLIPPY_HACKERY__
test: ## Everything that must hold before a commit
	@scripts/ensure-tools --test
	scripts/build-console --check
	scripts/build-docs --check
	cargo fmt --check
	scripts/sqlx-prepare --check
	scripts/test
	scripts/test-newest-postgres
	@if command -v cargo-deny >/dev/null; then \
	    if cargo fetch --locked --quiet; then cargo deny --offline check bans licenses sources; \
	    else echo "crates were not checked: those of other systems cannot be fetched"; fi; fi
	@if command -v cargo-deny >/dev/null; then \
	    if cargo deny fetch db >/dev/null 2>&1; then cargo deny --offline check advisories || echo "advisories: something is to be looked at"; \
	    else echo "advisories were not checked: they cannot be fetched"; fi; fi

console: ## Build the pages of the console and the portal; a debug build shows them after a restart
	@scripts/build-console

docs: ## Build the documentation; a debug build shows it after a restart
	@scripts/build-docs

reference: ## Renew docs/reference/ after a setting or a command has changed
	cargo run -- reference

deploy: ## Build the image and run the Compose stack for real, by Docker; see deploy/README.md
	deploy/check
	deploy/try

screenshots: ## Pictures of every view of the console and the portal; ARGS="--only overview --axe" says which
	@scripts/screenshots $(ARGS)

fuzz: ## Ask the API of everything its description allows and forbids, for long; FUZZ=500 says how long
	@scripts/ensure-tools --test
	POSTRIDER_FUZZ_EXAMPLES=$(or $(FUZZ),100) POSTRIDER_FUZZ_SEED=$$(date +%s) scripts/test --test suite specification::fuzz::

chaos: ## Try every promise under every kind of fault, of hostile receiver and of overload, in an hour; see docs/reliability.md
	@scripts/ensure-tools --test
	cargo build --release --bin postrider
	POSTRIDER_CHAOS_PROGRAM=$$(realpath "$${CARGO_TARGET_DIR:-target}/release/postrider") \
	    POSTRIDER_CHAOS_PAIRS=$(or $(PAIRS),24000) POSTRIDER_CHAOS_SEED=$(or $(SEED),1) POSTRIDER_CHAOS_KINDS=$(KINDS) \
	    scripts/with-test-postgres cargo test --test suite -- --ignored --nocapture --exact chaos::long::every_kind_at_length \
	        reliability::outages::deliveries_flow_again_after_outages_of_every_length \
	        hostile::long::every_kind_at_length_at_default_settings \
	        hostile::long::every_kind_at_length_at_the_operators_cap \
	        intake::overload::every_overload_at_length --test-threads 1

upgrade: ## Run the last release and this version beside each other on one database; PREVIOUS=v0.1.0 says which
	@scripts/ensure-tools --test
	PREVIOUS=$(PREVIOUS) scripts/test-upgrade

bench: ## Measure beside the ceiling, against a release build on a private Postgres; see BENCHMARKS.md
	@scripts/ensure-tools
	cargo bench --bench load -- $(BENCH)

lint: ## The linter alone, without a database
	cargo clippy --all-targets -- -D warnings

fmt: ## Format the code
	cargo fmt

sqlx: ## Renew .sqlx/ after a statement or a migration has changed
	scripts/sqlx-prepare

openapi: ## Renew api-spec/openapi.json after the API has changed
	cargo run -- openapi

release: ## Make a release of what is checked out; VERSION=0.2.0 says which
	@scripts/release $(VERSION)
