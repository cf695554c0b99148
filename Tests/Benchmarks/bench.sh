#!/usr/bin/env bash
# Builds the benchmarks for production and prints each operation as a ratio to raw OpenSSL in the same run.
set -euo pipefail
cd "$(dirname "$0")"
# SwiftPM does not look for new files of a package that another one names by its path, unless the manifest is newer.
touch Package.swift
../Linkage/packages.sh libjwt-dev libjose-dev
echo 'Building for production: up to ten minutes the first time.'
swift build -c release --scratch-path ../../.build-bench 2>&1 | awk '/error:/ || NR % 250 == 0 || /^Build/ { print; fflush() }'
export CARNET_PEERS=$PWD/../../.build-bench/peers
Peers/build.sh "$CARNET_PEERS"
"$(swift build -c release --scratch-path ../../.build-bench --show-bin-path)/carnet-bench" "$@"
