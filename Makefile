# Thin names for scripts/: each installs what it needs on a bare Debian 12 and says what it is doing.
.PHONY: help build demo test vm-test bench bench-growth format lint fuzz check logs clean

help:
	@echo 'make demo     a server, our device half on a software TPM, and what its bus shows (DEMO_EXIT=1: ends by itself)'
	@echo 'make test     builds and runs all tests'
	@echo 'make vm-test  a PC of QEMU with OVMF, swtpm, Debian'\''s kernel and IMA attests to a server: three boots'
	@echo 'make build    programs end up in build/release/bin/'
	@echo 'make bench    speed, as a ratio to the cost of what cannot be avoided'
	@echo 'make bench-growth   the same beside a fleet of 100,000 devices and one of 1,000,000 (GROWTH_FLAGS)'
	@echo 'make format   formats the sources;  make lint: format, layering, clang-tidy, shellcheck, spelling'
	@echo 'make fuzz     each fuzz target for FUZZ_SECONDS (10)'
	@echo 'make logs     boots QEMU machines and stores their logs anew in tests/logs (LOGS="grub u-boot": only these)'
	@echo 'make check    what CI runs'

build:
	@scripts/build release warifud warifu warifu-tcb warifu-agent
demo:
	@DEMO_EXIT='$(DEMO_EXIT)' scripts/demo
test:
	@scripts/test
vm-test: build
	@tests/vm/run
bench:
	@scripts/bench $(BENCH_FLAGS)
bench-growth:
	@scripts/build release warifu-growth
	@build/release/bin/warifu-growth $(GROWTH_FLAGS)
format:
	@scripts/format
lint:
	@scripts/lint
fuzz:
	@scripts/fuzz
check:
	@scripts/check
logs:
	@tests/logs/make-logs $(LOGS)
clean:
	rm -rf build
