#!/usr/bin/env bash
# Holds a running verifier against Docs/openapi.yaml: schemathesis makes thousands of calls, good and bad, and finds every answer that is not
# described, every fault (5xx), and every call that lets somebody in whom it should not. Arguments go to each of its runs.
. "$(dirname "$0")/common.sh"

# One of everything that can be asked for.
digest=$(printf %064d 7)
quietly carnet node register --ek-sha256 "$digest" --name node-18
printf 'version: 1\nname: firmware-1\nbanks: {sha256: {0: %s}}\n' "$digest" >template.yaml
quietly carnet policy template add template.yaml
printf '{"files":[{"digest":"sha256:%s","path":"/bin/sh"}],"name":"debian","version":1}' "$digest" >set.json
quietly carnet reference push set.json
quietly carnet api-token create --role viewer --name viewer --out viewer.token
quietly carnet revoke node demo-node --reason Seed

admin=(--include-tag administration --include-tag ledger)
check() { run openapi.yaml "$@"; }
check 'Public calls and machines' '' --include-tag enrolment --include-tag passport --include-tag discovery --include-tag health --include-tag revocation "$@"
check 'Relying parties' vault.token --include-tag 'background check' "$@"
check 'Administrators' admin.token "${admin[@]}" "$@"
check 'Viewers' viewer.token "${admin[@]}" --max-examples 4 --max-time 15 "$@"
finish
