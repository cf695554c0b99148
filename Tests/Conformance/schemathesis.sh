#!/usr/bin/env bash
# Holds a running verifier against Docs/openapi.yaml: schemathesis makes thousands of calls, good and bad, and finds every answer that is not
# described, every fault (5xx), and every call that lets somebody in whom it should not. Arguments go to each of its runs.
set -euo pipefail
cd "$(dirname "$0")/../.."
version=4.32.5 # of schemathesis, from PyPI
examples=${EXAMPLES:-12} seconds=${SECONDS_EACH:-40}

bin=${BIN:-$(swift build --show-bin-path)}
for program in carnet carnet-agent carnet-verifier demo-machine; do
    [ -x "$bin/$program" ] || { echo "$bin/$program is missing: run swift build first." >&2; exit 2; }
done
PATH=$bin:$PATH
work=$(mktemp -d)
verifier_pid=''
cleanup() {
    [ -z "$verifier_pid" ] || kill "$verifier_pid" 2>/dev/null || true
    [ ! -f "$work/machine/swtpm.pid" ] || kill "$(cat "$work/machine/swtpm.pid")" 2>/dev/null || true
    rm -rf "$work"
}
trap cleanup EXIT

# The tool, in a folder of its own that goes with the others.
tool=${SCHEMATHESIS:-$work/venv/bin/schemathesis}
if [ ! -x "$tool" ]; then
    python3 -m venv "$work/venv"
    "$work/venv/bin/pip" --quiet --disable-pip-version-check install "schemathesis==$version"
fi

description=$PWD/Docs/openapi.yaml manifest=$PWD/Keys/TrustAnchors/manifest.json
cd "$work"
export CARNET_PLAIN_HTTP=1
quietly() { "$@" >>"$work/seed.log" 2>&1 || { tail -5 "$work/seed.log" >&2; echo "Failed: $*" >&2; exit 1; }; }

# A verifier with a machine that attested, an active policy, and one of everything else that can be asked for.
mkdir anchors
quietly demo-machine provision machine
quietly demo-machine boot machine
for certificate in machine/ca/*cert.pem; do
    quietly carnet trust import "$certificate" --manifest "$manifest" --into anchors --allow "$(openssl x509 -in "$certificate" -noout -fingerprint -sha256 |
        cut -d= -f2 | tr -d : | tr A-F a-f)"
done
demo-machine policy machine >policy.yaml
carnet-verifier --data verifier --listen 127.0.0.1:0 --plain-http --issuer https://verifier.example --metrics \
    --audience https://vault.example --trust-anchors anchors --policy policy.yaml --address-file address \
    >verifier.log 2>&1 &
verifier_pid=$!
for _ in $(seq 400); do [ -s address ] && break; sleep 0.05; done
[ -s address ] || { cat verifier.log >&2; exit 1; }
CARNET_VERIFIER=http://$(cat address)
export CARNET_VERIFIER CARNET_TOKEN_FILE=$work/admin.token
quietly carnet-verifier bootstrap --data verifier --out admin.token
agent() { carnet-agent "$@" --tcti "swtpm:path=$work/machine/tpm.sock" --state "$work/machine/agent" --verifier "$CARNET_VERIFIER" --plain-http; }
quietly agent enrol --name demo-node
quietly carnet node approve demo-node
quietly agent attest --event-log machine/event-log.bin --out passport.jwt
digest=$(printf %064d 7)
quietly carnet node register --ek-sha256 "$digest" --name node-18
printf 'version: 1\nname: firmware-1\nbanks: {sha256: {0: %s}}\n' "$digest" >template.yaml
quietly carnet policy template add template.yaml
printf '{"files":[{"digest":"sha256:%s","path":"/bin/sh"}],"name":"debian","version":1}' "$digest" >set.json
quietly carnet reference push set.json
quietly carnet api-token create --role relying-party --name https://vault.example --out vault.token
quietly carnet api-token create --role viewer --name viewer --out viewer.token
quietly carnet revoke node demo-node --reason Seed

failed=0
run() { # name, token's file or nothing, options
    local name=$1 token=$2
    shift 2
    local header=()
    [ -z "$token" ] || header=(--header "Authorization: Bearer $(cat "$token")")
    printf '\n== %s\n' "$name"
    "$tool" run "$description" --url "$CARNET_VERIFIER" --max-examples "$examples" --max-time "$seconds" --seed 20261121 \
        --workers 1 --no-shrink --suppress-health-check all --output-sanitize true --warnings off \
        --phases examples,coverage,fuzzing --continue-on-failure \
        --checks not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance,ignored_auth,unsupported_method,allow_header_conformance \
        "${header[@]}" "$@" || failed=1
}
admin=(--include-tag administration --include-tag ledger)
run 'Public calls and machines' '' --include-tag enrolment --include-tag passport --include-tag discovery --include-tag health --include-tag revocation "$@"
run 'Relying parties' vault.token --include-tag 'background check' "$@"
run 'Administrators' admin.token "${admin[@]}" "$@"
run 'Viewers' viewer.token "${admin[@]}" --max-examples 4 --max-time 15 "$@"
kill -0 "$verifier_pid" || { echo 'The verifier is gone' >&2; tail -20 verifier.log >&2; failed=1; }
if grep -E '"level":"(error|critical)"' verifier.log | grep -v '"status":503' | head -5 | grep .; then failed=1; fi
exit $failed
