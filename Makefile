# The menu. Logic lives in scripts/.
.DEFAULT_GOAL := help
.PHONY: help setup run test check chaos fmt lint wasm edge build generate rego-answers audit-proofs fuzz deny clean \
  bench bench-edge bench-policy bench-hostile bench-gate bench-jose bench-people bench-size bench-start bench-commit bench-events release

help:      ## show this list
	@grep -E '^[a-z-]+: .*## ' Makefile | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 22
setup:     ## fetch what a build needs and doesn't have yet
	@scripts/setup.sh
run:       ## the whole path on this machine, until Ctrl-C (ONCE=1: walk it and stop)
	@scripts/setup.sh run && exec node scripts/run.mjs
test:      ## everything: lints, wasm, all tests on SQLite, Postgres and workerd
	@scripts/test.sh
check:     ## the quick part of `make test`: format, lints, wasm, tests on SQLite
	@scripts/test.sh quick
fmt:       ## format the sources
	@cargo fmt --all
lint:      ## format check and clippy, warnings denied
	@scripts/test.sh lint
wasm:      ## check the crates that also compile to wasm32
	@scripts/test.sh wasm
edge:      ## build the Worker into edge-worker/build
	@edge-worker/build.sh
build:     ## build the server and the command line
	@cargo build --locked --workspace --bins
generate:  ## write the artefacts in git that come from code
	@UPDATE=1 cargo test --locked -p plinto-contract --test vectors
	@UPDATE=1 cargo test --locked -p policy-wasm --lib check::reference
	@UPDATE=1 cargo test --locked --workspace --test it generated
deny:      ## advisories, licences, bans and sources of all dependencies (ADVISORY_DB=folder: offline)
	@scripts/deny.sh
rego-answers: ## record anew what a real `opa` (Go) answers to policy-wasm/conformance/idioms.rego
	@scripts/rego-answers.py
chaos:     ## end the server at each step of an event's way, again and again, on both engines (KILLS=200)
	@scripts/setup.sh test && cargo build --locked --workspace --bins && PLINTO_BINARIES_ARE_BUILT=1 \
	  PLINTO_TEST_KILLS=$${KILLS:-200} scripts/with-postgres.sh cargo test --locked --workspace --test it -- journeys::chaos
audit-proofs: ## have Go's sumdb packages check what a server signs and proves of its log
	@cargo build --locked --workspace --bins && scripts/audit-proofs.py
fuzz:      ## policies made up at random, beside a real `opa` (Go): PAIRS=1000000 SEED=the time
	@scripts/fuzz.sh
bench:     bench-edge bench-policy bench-hostile bench-gate bench-jose bench-start bench-commit bench-events bench-people bench-size ## every figure, each beside what it is compared with
bench-edge: ## the Worker's size; a request in workerd, cold and warm, beside npm jose
	@scripts/setup.sh run && edge-worker/build.sh && node benches/edge.mjs
bench-policy: ## a decision beside opa, regorus, npm opa-wasm and cedar-wasm
	@scripts/setup.sh run && scripts/policy-bench.sh && node benches/policy.mjs
bench-hostile: ## what hostile policies cost, natively and in workerd
	@scripts/setup.sh run && scripts/policy-bench.sh && node benches/hostile.mjs
bench-gate: ## a decision of the same gate, natively
	@cargo bench --locked -p edge-worker --bench gate
bench-jose: ## signature checks natively, RS256, ES256, EdDSA
	@cargo bench --locked -p plinto-jose --bench verify --features aws-lc
bench-start: release ## how soon the control plane is ready, and what it weighs
	@node benches/start.mjs
bench-commit: ## group commit against one transaction, one flush
	@cargo bench --locked -p control-plane --bench group_commit
bench-people: release ## sign-ins, refreshes, introspections per second, SQLite and Postgres
	@scripts/with-postgres.sh node benches/people.mjs
bench-events: ## what events cost, on SQLite and Postgres (EVENTS=1000000 in the long log)
	@scripts/with-postgres.sh cargo bench --locked -p control-plane --bench events
bench-size: ## lists, sweeps, the feed and a changed role: an empty installation beside a full one
	@scripts/with-postgres.sh cargo bench --locked -p control-plane --bench size
release:   ## build the server and the command line for production
	@cargo build --locked --release -p control-plane -p plinto --bins
clean:     ## remove the demonstration's folder .plinto (not the build, and not a PLINTO_RUN_FOLDER)
	@rm -rf .plinto .wrangler
