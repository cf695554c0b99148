#!/usr/bin/env bash
# fuzz.sh SECONDS [TARGET …]: builds the fuzzer with AddressSanitizer and runs each parser for SECONDS on its seeds.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:-20}
shift || true
targets=("$@")
if [ ${#targets[@]} = 0 ]; then
    targets=(quote signature public event-log runtime-log signature-database image ima-list reference-set debian-packages evidence kbs-evidence token json status-list bundle policy credential import-blob proxy-header luks2-header sealed-message kept-trust certificate-request node-request kubernetes-json admission-review)
fi

swift build --product fuzz-seeds 2>&1 | grep -E '^(error|.*error:)' || true
"$(swift build --show-bin-path)/fuzz-seeds" .build-fuzz/seeds

export CARNET_FUZZ=1 SWIFT_BACKTRACE=enable=no
swift build -c release --product carnet-fuzzer --scratch-path .build-fuzz -Xswiftc -use-ld=lld 2>&1 |
    grep -E '^(error|Build|.*error:)' || true
fuzzer=$(swift build -c release --product carnet-fuzzer --scratch-path .build-fuzz --show-bin-path)/carnet-fuzzer
[ -x "$fuzzer" ] || { echo "The fuzzer was not built" >&2; exit 1; }

failed=0
for target in "${targets[@]}"; do
    corpus=.build-fuzz/corpus/$target
    # A target without seeds of its own begins with nothing.
    mkdir -p "$corpus" ".build-fuzz/seeds/$target"
    seeds=.build-fuzz/seeds/$target
    log=.build-fuzz/$target.log
    printf '%-18s %ss … ' "$target" "$seconds"
    if CARNET_FUZZ_TARGET=$target "$fuzzer" -max_total_time="$seconds" -max_len=65536 -rss_limit_mb=2048 -timeout=10 \
        -artifact_prefix=".build-fuzz/$target-" "$corpus" "$seeds" >"$log" 2>&1; then
        grep -E 'Done [0-9]+ runs' "$log" | tail -1
    else
        failed=1
        echo "CRASHED; see $log"
        grep -E 'ERROR|SUMMARY|Test unit written|Fatal error' "$log" | head -5
    fi
done
exit $failed
