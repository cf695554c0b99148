#!/usr/bin/env bash
# Builds the programs for production and measures one of them on processor 0; everything else is on processor 1.
set -euo pipefail
cd "$(dirname "$0")/../.."
Tests/Linkage/packages.sh >&2
echo 'Building for production: up to ten minutes the first time.' >&2
build=(swift build -c release --scratch-path "${CARNET_BENCH_SCRATCH:-.build}")
for product in carnet-verifier carnet-broker carnet-agent carnet-admission carnet-bench-service; do
    "${build[@]}" --product $product 2>&1 | awk '/error:/ || NR % 250 == 0 || /^Build/ { print; fflush() }' >&2
done
exec taskset -c 1 "$("${build[@]}" --show-bin-path)/carnet-bench-service" "$@"
