# The menu. Logic lives in scripts/.
.DEFAULT_GOAL := help
.PHONY: help setup run test check fmt lint wasm edge build generate deny bench clean

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
	@scripts/edge.sh
build:     ## build the server and the command line
	@cargo build --locked --workspace --bins
generate:  ## write the artefacts in git that come from code
	@UPDATE=1 cargo test --locked -p plinto-tests --test it generated
deny:      ## advisories, licences, bans and sources of all dependencies
	@scripts/deny.sh
clean:     ## remove the demo's data (not the build)
	@rm -rf .plinto .wrangler
