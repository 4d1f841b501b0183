# Every target is a call or two of the command line, `ferry`, or of cargo. What is missing on the machine is
# installed or named by `ferry setup`, which all targets that need it begin with.
#
#   make run [INPUT=file]       boot the system and send a file through central
#   make test [FILTER=r19]      everything that has to hold; FILTER is for the scenarios, on all platforms
#   make check                  the rules of system.xml and flows.toml, and who reaches what
#   make image [OUT=directory]  a bootable image
#   make bench                  what a message costs: on every seL4, hosted, the engine alone, and on Linux
#   make bench-check            names every instruction count more than 3 % above bench/baseline.json
#   make fuzz                   a minute of each fuzz target
#   make miri                   Miri over the shared memory, the client library and the engine's tests
#   make mutants                weakens every memory ordering of layout/ in turn; loom must notice
#   make clean
#
# run and image take PLATFORM=classic (default) or PLATFORM=microkit with
# BOARD=qemu_virt_aarch64|x86_64_generic and CONFIG=debug|release|benchmark. run also takes PLATFORM=hosted:
# Linux processes, no kernel to boot and no image. test plays its scenarios on all platforms for which the
# machine has what it takes, or on the one that PLATFORM names. What is left out is the default of `ferry`.

CARGO ?= cargo
OUT ?= build/image
PLATFORM_OPTION = $(if $(PLATFORM),--platform $(PLATFORM))
TARGET_OPTIONS = $(PLATFORM_OPTION) $(if $(BOARD),--board $(BOARD)) $(if $(CONFIG),--config $(CONFIG))
# Built by the target `ferry`, aloud. To count instructions takes one that is optimised.
FERRY = $(CARGO) run --quiet --package ferry --
FERRY_RELEASE = $(CARGO) run --quiet --release --package ferry --

.PHONY: run image check test format lint doc host-test kernel-test bench bench-check bench-programs fuzz miri \
	mutants setup clean cargo ferry

run: ferry
	@$(FERRY) run $(TARGET_OPTIONS) $(if $(INPUT),--input "$(INPUT)")

image: ferry
	@$(FERRY) image $(TARGET_OPTIONS) --output "$(OUT)"

check: ferry
	@$(FERRY) check

# The steps of CI, in the order in which they are likely to fail; each can be called alone.
test: setup format lint doc host-test kernel-test

format: cargo
	$(CARGO) fmt --check

lint: ferry
	$(CARGO) clippy --all-targets -- --deny warnings
	@$(FERRY) lint

doc: cargo
	RUSTDOCFLAGS="--deny warnings" $(CARGO) doc --no-deps

host-test: cargo
	$(CARGO) test --no-run
	$(CARGO) test --quiet

kernel-test: ferry
	@$(FERRY) test $(PLATFORM_OPTION) -- $(FILTER)

bench: bench-programs
	@$(FERRY_RELEASE) bench --rows build/rows.json
	$(CARGO) run --quiet --release --package ferry-bench -- table --rows build/rows.json --plots build/plots

bench-check: bench-programs
	@$(FERRY_RELEASE) bench --rows build/rows.json
	$(CARGO) run --quiet --release --package ferry-bench -- check --rows build/rows.json

bench-programs: cargo
	$(CARGO) build --release --package ferry --package ferry-bench --package ferry-pds-hosted

fuzz: cargo
	fuzz/smoke

# A testbed hands its pages out for good and finds them by address, as a machine does: that is neither a leak
# nor news. Its other tests are too long for an interpreter.
miri: cargo
	@$(CARGO) +nightly miri --version >/dev/null 2>&1 || { \
		echo "ferry: Miri is not installed; run: rustup toolchain install nightly --component miri --component rust-src"; \
		exit 1; }
	$(CARGO) +nightly miri test --package ferry-layout --package ferry-client --package ferry-platform
	MIRIFLAGS="-Zmiri-ignore-leaks -Zmiri-permissive-provenance" \
		$(CARGO) +nightly miri test --package ferry-testbed --test engine --test client

mutants: cargo
	$(CARGO) run --package ferry-mutations

setup: ferry
	@$(FERRY) setup

clean: cargo
	$(CARGO) clean
	rm -rf build

# The first time this takes minutes; after that it is silent.
ferry: cargo
	@echo "ferry: building the command line"
	@$(CARGO) build --package ferry

cargo:
	@command -v $(CARGO) >/dev/null || { \
		echo "ferry: cargo is not in PATH; install Rust with the command that https://rustup.rs shows, then open a new shell"; \
		exit 1; }
