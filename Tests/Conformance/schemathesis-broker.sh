#!/usr/bin/env bash
# Holds a running broker against Docs/broker-openapi.yaml, as schemathesis.sh a verifier. Machines' calls are made with a passport and a proof of
# possession by the machine's TPM (proofs.py).
. "$(dirname "$0")/common.sh"

serve broker carnet-broker --url https://broker.example --audience $audience --issuer $issuer --verifier "$CARNET_VERIFIER" --verifier-plain-http \
    --verifier-token-file vault.token
export CARNET_BROKER=$url CARNET_BROKER_TOKEN_FILE=$work/broker.token
quietly carnet-broker bootstrap --data broker --out broker.token

# One of everything that can be asked for.
printf 'a secret' >secret
quietly carnet secret put default/key/1 --file secret
printf 'version: 1\nid: edge\nsecrets: ["*/*/*"]\nvolumes: ["*"]\nforms: [jwe, kbs]\npassport: {key_protection: software}\n' >release.yaml
quietly carnet secret policy put release.yaml
quietly carnet api-token create --verifier "$url" --token-file broker.token --role viewer --name viewer --out viewer.token

admin=(--include-tag administration --include-tag ledger)
check() { run broker-openapi.yaml "$@"; }
check 'Public calls and key-broker clients' '' --include-tag 'key broker' --include-tag discovery --include-tag health "$@"
check 'Machines without a passport' '' --include-tag release --include-tag escrow --max-examples 4 --max-time 15 "$@"
attest
export PROVE="carnet-agent prove $work/passport.jwt --tcti swtpm:path=$work/machine/tpm.sock --state $work/machine/agent" PASSPORT=$work/passport.jwt
SCHEMATHESIS_HOOKS=$checkout/Tests/Conformance/proofs.py check 'Machines' '' --include-tag release --include-tag escrow "$@"
jq -es 'any(.[]; .route == "/release/v1/secrets/{repository}/{type}/{tag}" and .status == 200)' broker.log >/dev/null ||
    { echo 'No call brought a secret: the proofs are not accepted.' >&2; failed=1; }
check 'Administrators' broker.token "${admin[@]}" "$@"
check 'Viewers' viewer.token "${admin[@]}" --max-examples 4 --max-time 15 "$@"
finish broker.log
