#!/usr/bin/env bash
# What the built programs and the SDK link. A target is a promise about what it needs; this looks at the machine code.
set -euo pipefail
cd "$(dirname "$0")/../.."
bin=$(swift build --show-bin-path)
failed=0

needs() { readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'; }
must_not_need() { # program, pattern
    local found
    found=$(needs "$bin/$1" | grep -E "$2" || true)
    [ -z "$found" ] || { echo "$1 links $found, which it must not" >&2; failed=1; }
}
may_only_need() {
    local found
    found=$(needs "$bin/$1" | grep -vE "$2" || true)
    [ -z "$found" ] || { echo "$1 links $found, which it must not" >&2; failed=1; }
}
must_need() {
    needs "$bin/$1" | grep -E "$2" >/dev/null || { echo "$1 does not link $2" >&2; failed=1; }
}
must_not_contain() { # program, symbol pattern
    local count
    count=$(nm --defined-only "$bin/$1" 2>/dev/null | grep -cE "$2" || true)
    [ "$count" = 0 ] || { echo "$1 contains $count symbols like $2, which it must not" >&2; failed=1; }
}

# A program that imports nothing but the SDK.
must_need sdk-linkage-probe '^libcrypto'
must_need sdk-linkage-probe '^libjansson'
must_need sdk-linkage-probe '^libz\.'
must_not_need sdk-linkage-probe '^(libpq|libsqlite3)'
may_only_need sdk-linkage-probe '^(libcrypto|libjansson|libz|lib(swift|Foundation|_Foundation|foundation)[A-Za-z_]*|libBlocksRuntime|libdispatch|libstdc\+\+|libgcc_s|libm|libc|ld-linux-[a-z0-9-]+)\.so'
must_not_contain sdk-linkage-probe '(CarnetSealing|CarnetStorage|CarnetTLS|CarnetTrustRefresh|NIOCore|NIOPosix|GRDB|Hummingbird|AsyncHTTPClient|CarnetEvidence|CarnetAppraisal|MeasurementLogs|4TPM2)'

must_need carnet-verifier '^libpq'
must_need carnet-verifier '^libsqlite3'
must_not_need carnet-verifier '^(libtss2|libarchive)'
must_need carnet-broker '^libpq'
must_not_need carnet-broker '^(libtss2|libarchive)'
must_not_contain carnet-broker '(CarnetVerifier|CarnetAppraisal|CarnetEvidence|CarnetAttester|MeasurementLogs)'
must_not_need carnet-admission '^(libtss2|libarchive|libpq|libsqlite3)'
must_not_contain carnet-admission '(CarnetVerifier|CarnetBroker|CarnetRecords|CarnetStorage|CarnetAppraisal|CarnetEvidence|CarnetAttester|MeasurementLogs|4TPM2)'
must_not_need carnet-agent '^(libsqlite3|libpq|libarchive)'
must_not_need carnet '^(libsqlite3|libpq)'

[ $failed = 0 ] && echo "Every program links what its targets promise."
exit $failed
