# Every target is a few calls of `ferry`, the command line, or of cargo, or one of a script that says what it
# does. A command of `ferry` that needs a tool installs it if it is missing, or prints the command that does.
# `ferry setup` does only that.
#
#   make run [INPUT=file]       boot the system and send a file through central
#   make test [FILTER=r19]      all tests; FILTER selects scenarios, on all platforms
#   make lint                   check the format, run Clippy on everything, and make Rust's documentation
#   make check                  check the demo's description, and print who can reach what
#   make graph                  draw who can reach what, into docs/ferry.svg
#   make image [OUT=directory]  build a bootable image of the demo
#   make bench                  measure a message on every seL4, on hosted, with the engine alone and on Linux
#   make bench-check            name every instruction count more than 3 % above bench/baseline.json
#   make fuzz                   run each fuzz target for a minute
#   make miri                   run Miri on the shared memory, the client library and the engine's tests
#   make header                 make the header of the C client again
#   make mutants                weaken each memory ordering of layout/ in turn; loom must notice each time
#   make small-scope            try every order of a few acts of clients and central, with the real engine,
#                               and all that clients do while central restarts
#   make faults [ON=classic]    plant faults one at a time; for each, the named test must fail
#   make mutation-score [SINCE=commit] [PACKAGE=ferry-layout] [SHARD=0/8] [AT_MOST=20]
#                               change the crates in every way that cargo mutants knows; tests must notice
#   make trusted-code           count the trusted code again for docs/threat-model.md
#   make rules                  write the table of rules in docs/system.md again
#   make python-test            check the Python module, and boot its example
#   make python-pattern         write the names and numbers that the Python module uses again
#   make test-cores [FILTER=t3] [REPEAT=20]
#                               all scenarios on Microkit's kernels for several cores, each so many times
#   make test-without-express   test a central without its express lane: on the host, and on classic
#   make clean
#
# run and image take PLATFORM=classic (default) or PLATFORM=microkit. With microkit they take
# BOARD=… and CONFIG=debug|release|benchmark, and the same with smp-, whatever the SDK has. run also takes
# PLATFORM=hosted, which runs Linux processes: no kernel boots and there is no image. test runs its scenarios
# on all platforms for which the machine has the tools, or only on the one that PLATFORM or BOARD names.
# Options that are not given have the defaults of `ferry`.

CARGO ?= cargo
# The project that these targets run. Every other project has the same rights.
DEMO = --system demo/system.xml
OUT ?= build/image
PLATFORM_OPTION = $(if $(PLATFORM),--platform $(PLATFORM))
TARGET_OPTIONS = $(PLATFORM_OPTION) $(if $(BOARD),--board $(BOARD)) $(if $(CONFIG),--config $(CONFIG))
# The target `ferry` builds this program and shows the progress. Counting instructions needs an optimised
# build.
# It names a program and no package: then the features of dependencies are those of all packages that a
# plain cargo command selects, and none is compiled twice.
FERRY = $(CARGO) run --quiet --bin ferry --
FERRY_RELEASE = $(CARGO) run --quiet --release --package ferry --

.PHONY: run image check graph test lint format clippy fault-tables doc host-test kernel-test all-tests bench \
	bench-check bench-programs fuzz miri header mutants small-scope faults mutation-score trusted-code rules \
	python-test python-pattern test-cores test-without-express setup clean cargo ferry

run: ferry
	@$(FERRY) run $(DEMO) $(TARGET_OPTIONS) --limit 600 $${INPUT:+--prefill "input=$$INPUT"}

image: ferry
	@$(FERRY) image $(DEMO) $(TARGET_OPTIONS) --output "$(OUT)"

check: ferry
	@$(FERRY) check $(DEMO)

graph: ferry
	@cd demo && $(FERRY) graph --output ../docs/ferry.svg

test: setup all-tests

# What tells of a mistake without running anything. Clippy and rustdoc check all dependencies once more, which
# on a fresh machine takes a fifth of the time of all tests. So this is a target of its own, and a step of CI.
lint: setup format clippy fault-tables doc

format: cargo
	$(CARGO) fmt --check

clippy: ferry
	$(CARGO) clippy --all-targets -- --deny warnings
	@$(FERRY) lint

# Whether the tables of planted faults still fit the sources. `make faults` plants them.
fault-tables: cargo
	$(CARGO) run --quiet --package ferry-faults -- --check

doc: cargo
	RUSTDOCFLAGS="--deny warnings" $(CARGO) doc --no-deps

host-test: cargo
	$(CARGO) test --no-run
	$(CARGO) test --quiet

# A boot keeps one processor busy, and so does nearly every host test. So both run side by side, when all host
# tests are compiled. What the others print is shown when the boots have ended. The tests of the host run even
# if those of Python fail.
all-tests: ferry
	$(CARGO) test --no-run
	@mkdir -p build
	@echo "ferry: running the tests of the host and of Python beside the boots; build/host-test.txt has what they print"
	@$(MAKE) --no-print-directory --keep-going python-test host-test >build/host-test.txt 2>&1 & host=$$!; \
	$(MAKE) --no-print-directory kernel-test; kernel=$$?; \
	wait $$host; host=$$?; \
	cat build/host-test.txt; \
	test $$host -eq 0 && test $$kernel -eq 0

kernel-test: ferry
	@$(FERRY) self-test $(PLATFORM_OPTION) $(if $(BOARD),--board $(BOARD)) -- $(FILTER)

python-test: setup
	@python/check

bench: bench-programs
	@$(FERRY_RELEASE) bench --rows build/rows.json
	$(CARGO) run --quiet --release --package ferry-bench --features host-lanes -- table --rows build/rows.json --plots build/plots

bench-check: bench-programs
	@$(FERRY_RELEASE) bench --rows build/rows.json
	$(CARGO) run --quiet --release --package ferry-bench --features host-lanes -- check --rows build/rows.json

bench-programs: cargo
	$(CARGO) build --release --package ferry --package ferry-bench --package ferry-pds-hosted \
		--features ferry-pds-hosted/harness,ferry-bench/host-lanes

fuzz: cargo
	fuzz/smoke

# A testbed never frees its pages, and it finds them by their addresses, as a machine does. So Miri must not
# report leaks or casts from integers to pointers. The other tests take too long in an interpreter.
miri: cargo
	@$(CARGO) +nightly miri --version >/dev/null 2>&1 || { \
		echo "ferry: Miri is not installed; run: rustup toolchain install nightly --component miri --component rust-src"; \
		exit 1; }
	$(CARGO) +nightly miri test --package ferry-layout --package ferry-platform
	$(CARGO) +nightly miri test --package ferry-client --lib
	MIRIFLAGS="-Zmiri-ignore-leaks -Zmiri-permissive-provenance" \
		$(CARGO) +nightly miri test --package ferry-testbed --test engine --test client --test library

header: cargo
	FERRY_WRITE_HEADER=1 $(CARGO) test --quiet --package ferry-client-c --test header the_header

mutants: cargo
	$(CARGO) run --package ferry-mutations

small-scope: cargo
	$(CARGO) test --package ferry-testbed --test search -- --ignored --nocapture --test-threads 1
	$(CARGO) test --package ferry-testbed --test restart -- --ignored

faults: cargo
	$(CARGO) run --package ferry-faults -- $(if $(ON),--on $(ON)) $(if $(FILTER),"$(FILTER)")

mutation-score: export PATH := $(CURDIR)/target/tools/bin:$(PATH)
# The list of survivors has the names that this version gives.
mutation-score: cargo
	@$(CARGO) mutants --version 2>/dev/null | grep -q ' 27\.1\.0$$' || { \
		echo "ferry: installing cargo-mutants 27.1.0 below target/tools; this takes some minutes"; \
		$(CARGO) install --quiet --locked --root target/tools cargo-mutants@27.1.0; }
	$(CARGO) run --quiet --package ferry-faults --bin mutation-score -- $(if $(SINCE),--since $(SINCE)) \
		$(if $(PACKAGE),--package $(PACKAGE)) $(if $(SHARD),--shard $(SHARD)) \
		$(if $(AT_MOST),--at-most $(AT_MOST))

trusted-code: cargo
	FERRY_WRITE_TRUSTED_CODE=1 $(CARGO) test --quiet --package ferry --test trusted

rules: cargo
	FERRY_WRITE_RULES=1 $(CARGO) test --quiet --package ferry-description --test rules every_rule_is_documented

python-pattern: cargo
	FERRY_WRITE_PATTERN=1 $(CARGO) test --quiet --bin ferry the_python_module_writes_what_this_program_writes

test-cores: ferry
	@for config in smp-release smp-debug smp-benchmark; do \
		$(FERRY) self-test --config $$config $(if $(BOARD),--board $(BOARD)) $(if $(REPEAT),--repeat $(REPEAT)) \
			-- $(FILTER) || exit 1; \
	done

test-without-express: ferry
	$(CARGO) test --quiet --package ferry-testbed --no-default-features --features observe
	@$(FERRY) self-test --platform classic --without-express -- $(FILTER)

setup: ferry
	@$(FERRY) setup

clean: cargo
	$(CARGO) clean
	rm -rf build

# The first build takes minutes. When nothing has changed, cargo is quiet and fast.
ferry: cargo
	@echo "ferry: building the command line"
	@$(CARGO) build --bin ferry

cargo:
	@command -v $(CARGO) >/dev/null || { \
		echo "ferry: cargo is not in PATH; install Rust with the command that https://rustup.rs shows, then open a new shell"; \
		exit 1; }
