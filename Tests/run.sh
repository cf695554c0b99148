#!/usr/bin/env bash
# Runs the built tests; arguments go to `swift test`. What failed is said again before the runner's closing line.
set -uo pipefail

# Many tests wait for a process or a server: more than two at once, but not all of them.
export SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH=${SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH:-8}

log=$(mktemp)
trap 'rm -f "$log"' EXIT
"${SWIFT:-swift}" test --skip-build --explicit-target-dependency-import-check error "$@" 2>&1 | tee "$log"
status=${PIPESTATUS[0]}
if [ "$status" -ne 0 ]; then
	printf '\n== What failed\n'
	grep -aE '✘ .*recorded an issue|^error: |Fatal error' "$log" | cut -c 1-500 | head -n 40
	grep -aE '(✔|✘) Test run with' "$log" | tail -n 1
fi
exit "$status"
