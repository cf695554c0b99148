#!/usr/bin/env bash
# Builds the benchmarks for production and prints each operation as a ratio to raw OpenSSL in the same run.
set -euo pipefail
cd "$(dirname "$0")"
swift build -c release --scratch-path ../../.build-bench 2>&1 | grep -E '^(error|Build|.*error:)' || true
"$(swift build -c release --scratch-path ../../.build-bench --show-bin-path)/carnet-bench" "$@"
