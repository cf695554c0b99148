# What the runs of schemathesis share: the tool, and a verifier with a machine that attested. Sourced; leaves the shell in a folder of its own.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
version=4.32.5 # of schemathesis, from PyPI
examples=${EXAMPLES:-12} seconds=${SECONDS_EACH:-40}
checkout=$PWD

bin=${BIN:-$(swift build --show-bin-path)}
for program in carnet carnet-agent carnet-broker carnet-verifier demo-machine; do
    [ -x "$bin/$program" ] || { echo "$bin/$program is missing: run swift build first." >&2; exit 2; }
done
PATH=$bin:$PATH
work=$(mktemp -d)
services=()
cleanup() {
    [ ${#services[@]} = 0 ] || kill "${services[@]}" 2>/dev/null || true
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

cd "$work"
export CARNET_PLAIN_HTTP=1
quietly() { "$@" >>"$work/seed.log" 2>&1 || { tail -5 "$work/seed.log" >&2; echo "Failed: $*" >&2; exit 1; }; }
serve() { # name, program, options: starts it; `$url` is where it answers
    local name=$1 program=$2
    shift 2
    "$program" --data "$name" --listen 127.0.0.1:0 --plain-http --metrics --address-file "$name.address" "$@" >"$name.log" 2>&1 &
    services+=($!)
    for _ in $(seq 400); do [ -s "$name.address" ] && break; sleep 0.05; done
    [ -s "$name.address" ] || { cat "$name.log" >&2; exit 1; }
    url=http://$(cat "$name.address")
}
audience=https://vault.example issuer=https://verifier.example

# A machine that enrolled and has a passport.
mkdir anchors
quietly demo-machine provision machine
quietly demo-machine boot machine
for certificate in machine/ca/*cert.pem; do
    quietly carnet trust import "$certificate" --manifest "$checkout/Keys/TrustAnchors/manifest.json" --into anchors --allow "$(
        openssl x509 -in "$certificate" -noout -fingerprint -sha256 | cut -d= -f2 | tr -d : | tr A-F a-f)"
done
demo-machine policy machine >policy.yaml
serve verifier carnet-verifier --issuer $issuer --audience $audience --trust-anchors anchors --policy policy.yaml
export CARNET_VERIFIER=$url CARNET_TOKEN_FILE=$work/admin.token
quietly carnet-verifier bootstrap --data verifier --out admin.token
agent() { carnet-agent "$@" --tcti "swtpm:path=$work/machine/tpm.sock" --state "$work/machine/agent"; }
attest() { quietly agent attest --verifier "$CARNET_VERIFIER" --plain-http --event-log machine/event-log.bin --out passport.jwt; }
quietly agent enrol --verifier "$CARNET_VERIFIER" --plain-http --name demo-node
quietly carnet node approve demo-node
attest
quietly carnet api-token create --role relying-party --name $audience --out vault.token

failed=0
run() { # description, name, token's file or nothing, options: one run against $url
    local description=$1 name=$2 token=$3
    shift 3
    local header=()
    [ -z "$token" ] || header=(--header "Authorization: Bearer $(cat "$token")")
    printf '\n== %s\n' "$name"
    "$tool" run "$checkout/Docs/$description" --url "$url" --max-examples "$examples" --max-time "$seconds" --seed 20261121 \
        --workers 1 --no-shrink --suppress-health-check all --output-sanitize true --warnings off \
        --phases examples,coverage,fuzzing --continue-on-failure \
        --checks not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance,ignored_auth,unsupported_method,allow_header_conformance \
        "${header[@]}" "$@" || failed=1
}
finish() { # are all services there, and without faults of their own?
    for pid in "${services[@]}"; do
        kill -0 "$pid" || { echo 'A service is gone' >&2; tail -20 ./*.log >&2; failed=1; }
    done
    if grep -hE '"level":"(error|critical)"' verifier.log "$@" | grep -v '"status":503' | head -5 | grep .; then failed=1; fi
    exit $failed
}
