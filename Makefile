# Two commands matter: `make demo` shows what Carnet does, `make test` proves it. Both install what is missing.

SHELL := /bin/bash
SWIFT ?= swift
SECONDS ?= 20
CONFIGURATION ?= debug

PREFIX ?= /usr/local

# Suites whose own SQL or timing is SQLite's so far: the ledger's tampering tests and rotation under load.
NOT_YET_ON_POSTGRESQL = --skip LedgerRetentionTests --skip LedgerTamperingTests --skip OlderLedgerTests \
	--skip ReappraisalTests --skip SigningKeyLoad --skip RotationUnderLoad

.PHONY: help demo test test-postgresql build install lint check fuzz bench bench-service tsan packages
help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 17

demo: packages ## A machine earns a passport, a secret opens with it, a tampered machine is refused
	@Tests/Demo/demo.sh

test: packages ## Build everything and run every test
	$(SWIFT) build --build-tests --explicit-target-dependency-import-check error
	$(SWIFT) test --skip-build

test-postgresql: packages ## The tests of storage and verifier again, with the verifier's state in PostgreSQL
	$(SWIFT) build --build-tests --explicit-target-dependency-import-check error
	CARNET_TEST_DATABASE=postgresql SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH=8 \
		$(SWIFT) test --skip-build --filter 'CarnetStorageTests|CarnetVerifierTests' $(NOT_YET_ON_POSTGRESQL)

build: packages ## Build the programs for production
	$(SWIFT) build -c release --explicit-target-dependency-import-check error

install: build ## Install the programs and the manifest of trust anchors below PREFIX (default /usr/local)
	@bin=$$($(SWIFT) build -c release --show-bin-path) && \
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/carnet && \
	install $$bin/carnet $$bin/carnet-agent $$bin/carnet-verifier $(DESTDIR)$(PREFIX)/bin && \
	install -m 644 Keys/TrustAnchors/manifest.json $(DESTDIR)$(PREFIX)/share/carnet/trust-anchors.json && \
	echo "Installed below $(DESTDIR)$(PREFIX)"

lint: ## Formatting, and what the style guide forbids
	$(SWIFT) format lint --strict --recursive --parallel Package.swift Sources Tests
	@Tests/Linkage/repository.sh

check: ## What the built products link, and what the targets import
	@Tests/Linkage/linkage.sh

fuzz: packages ## Fuzz every parser for SECONDS each (default 20)
	@Tests/Fuzzing/fuzz.sh $(SECONDS)

bench: packages ## Time what a user waits for, as ratios against raw OpenSSL
	@Tests/Benchmarks/bench.sh

bench-service: ## What an attestation costs the verifier's program, end to end: some five minutes
	@Tests/ServiceBenchmark/bench.sh

tsan: packages ## The relying party's tests under ThreadSanitizer, in a build folder of their own
	$(SWIFT) build --build-tests --sanitize=thread --scratch-path .build-tsan
	$(SWIFT) test --skip-build --sanitize=thread --scratch-path .build-tsan \
		--filter 'CarnetRelyingPartyTests|CarnetResultTests|CarnetTrustRefreshTests|CryptographyTests|StrictEncodingTests'

packages: ## Install the Debian packages that are missing
	@Tests/Linkage/packages.sh
