# Two commands matter: `make demo` shows what Carnet does, `make test` proves it. Both install what is missing.

SHELL := /bin/bash
SWIFT ?= swift
SECONDS ?= 20
KILLS ?= 500
CONFIGURATION ?= debug

PREFIX ?= /usr/local

.PHONY: help demo test test-postgresql test-kubernetes faults soak test-slow build deb test-deb install lint check fuzz bench bench-service bench-broker bench-gate schemathesis tsan packages
help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 17

demo: packages ## A machine earns a passport, a secret opens with it, a tampered machine is refused
	@Tests/Demo/demo.sh

test: packages ## Build everything and run every test
	$(SWIFT) build --build-tests --explicit-target-dependency-import-check error
	@SWIFT=$(SWIFT) Tests/run.sh

test-postgresql: packages ## The tests of storage, verifier and broker again, with their state in PostgreSQL
	$(SWIFT) build --build-tests --explicit-target-dependency-import-check error
	@SWIFT=$(SWIFT) CARNET_TEST_DATABASE=postgresql Tests/run.sh --filter 'CarnetBrokerTests|CarnetStorageTests|CarnetVerifierTests'

test-kubernetes: packages ## The tests of the Kubernetes gate again, against a real kube-apiserver, which is built once, in 15 minutes
	@Tests/Kubernetes/build.sh
	@Tests/Kubernetes/helm.sh
	$(SWIFT) build --build-tests --explicit-target-dependency-import-check error
	@SWIFT=$(SWIFT) CARNET_TEST_KUBERNETES=real CARNET_REQUESTS=1000 SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH=4 Tests/run.sh \
		--filter 'KubernetesHarnessTests|KubernetesAPITests|CarnetAdmissionTests|Gate|AdmissionCommandTests|AdmissionManifestTests|AdmissionInstallTests|EndToEndTests.TokenTests'

soak: packages ## A verifier under load for ten minutes: its memory stays what it was
	$(SWIFT) build --build-tests --explicit-target-dependency-import-check error
	@SWIFT=$(SWIFT) CARNET_SOAK_SECONDS=600 Tests/run.sh --filter SoakTests

faults: packages ## Kill verifiers KILLS times (default 500) under load, on each engine, and audit what is left
	$(SWIFT) build --build-tests --explicit-target-dependency-import-check error
	@SWIFT=$(SWIFT) CARNET_KILLS=$(KILLS) Tests/run.sh --filter KillTests

test-slow: packages ## A passport among 10,000 connections that are slow
	$(SWIFT) build --build-tests --explicit-target-dependency-import-check error
	@SWIFT=$(SWIFT) CARNET_SLOW_CONNECTIONS=10000 Tests/run.sh --filter NodeRateTests/underLoad

build: packages ## Build the programs for production
	$(SWIFT) build -c release --explicit-target-dependency-import-check error

deb: packages ## Build the Debian packages into .build-release/deb
	@Docs/Deploy/Debian/build.sh

test-deb: ## Install, start, upgrade, remove and purge them in a fresh Debian; as root
	@Tests/Linkage/packages.sh mmdebstrap lintian
	@Docs/Deploy/Debian/test.sh

install: build ## Install the programs and the manifest of trust anchors below PREFIX (default /usr/local)
	@bin=$$($(SWIFT) build -c release --show-bin-path) && \
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/carnet && \
	install $$bin/carnet $$bin/carnet-admission $$bin/carnet-agent $$bin/carnet-broker $$bin/carnet-verifier $(DESTDIR)$(PREFIX)/bin && \
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

bench-broker: ## What a release costs the broker's program, how long a disk waits for its key, and the idle agent
	@for what in releases unlock idle; do Tests/ServiceBenchmark/bench.sh $$what || exit; done

bench-gate: ## What a decision about a node costs the gate, and how long from lapse to taint with 5,000 nodes
	@for what in admissions taints; do Tests/ServiceBenchmark/bench.sh $$what || exit; done

schemathesis: packages ## Hold a running verifier and broker against their descriptions with schemathesis from PyPI, six minutes
	$(SWIFT) build
	@Tests/Conformance/schemathesis.sh
	@Tests/Conformance/schemathesis-broker.sh

tsan: packages ## The relying party's tests under ThreadSanitizer, in a build folder of their own
	$(SWIFT) build --build-tests --sanitize=thread --scratch-path .build-tsan
	$(SWIFT) test --skip-build --sanitize=thread --scratch-path .build-tsan \
		--filter 'CarnetRelyingPartyTests|CarnetResultTests|CarnetTrustRefreshTests|CryptographyTests|StrictEncodingTests'

packages: ## Install the Debian packages that are missing
	@Tests/Linkage/packages.sh
