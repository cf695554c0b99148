#!/usr/bin/env bash
# The whole story on software TPMs: enrol, passport, offline check, secret, theft, tampering, background check, comparison, a broker and a disk.
# Everything lives in one temporary directory and on loopback; everything that is started is stopped.
set -euo pipefail
cd "$(dirname "$0")/../.."

bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'
[ -t 1 ] || bold='' dim='' plain=''
chapter() { printf '\n%s%s%s\n' "$bold" "$1" "$plain"; }
say() { printf '%s\n' "$*"; }
spelled() { # what a command line is to somebody who types it: the two machines' options are left out
    case $1 in
        agent) shift; printf 'carnet-agent %s' "$*" ;;
        thief) shift; printf 'carnet-agent %s   # on the thief'"'"'s machine' "$*" ;;
        *) printf '%s' "$*" ;;
    esac
}
show() { printf '%s$ %s%s\n' "$dim" "$(spelled "$@")" "$plain"; "$@"; }
refused() { # runs a command that must be refused: exit status 1, and no other
    printf '%s$ %s%s\n' "$dim" "$(spelled "$@")" "$plain"
    local code=0
    "$@" || code=$?
    if [ $code != 1 ]; then
        echo "The demo expected a refusal (exit status 1) and got $code" >&2
        exit 1
    fi
}

chapter 'Building Carnet'
say 'The first build takes five to ten minutes on two cores; later ones take seconds.'
build() { # progress on a terminal, a line now and then elsewhere
    if [ -t 1 ]; then swift build; else swift build 2>&1 | awk '/error:/ || NR % 250 == 0 || /^Build/ { print; fflush() }'; fi
}
build || { echo 'The build failed; `swift build` shows why.' >&2; exit 1; }
bin=$(swift build --show-bin-path)
PATH=$bin:$PATH:/usr/sbin
started=$(date +%s)

work=$(mktemp -d)
verifier_pid='' broker_pid=''
cleanup() {
    [ -z "$verifier_pid" ] || kill "$verifier_pid" 2>/dev/null || true
    [ -z "$broker_pid" ] || kill "$broker_pid" 2>/dev/null || true
    for pid in "$work"/*/swtpm.pid; do [ ! -f "$pid" ] || kill "$(cat "$pid")" 2>/dev/null || true; done
    rm -rf "$work"
}
trap cleanup EXIT
manifest=$PWD/Keys/TrustAnchors/manifest.json
cd "$work"

issuer=https://verifier.example audience=https://vault.example
export CARNET_PLAIN_HTTP=1
start_verifier() {
    rm -f verifier/address
    carnet-verifier --data verifier --listen "127.0.0.1:${port:-0}" --plain-http --issuer $issuer \
        --audience $audience --trust-anchors anchors --policy policy.yaml --address-file verifier/address \
        >>verifier.log 2>&1 &
    verifier_pid=$!
    for _ in $(seq 200); do [ -s verifier/address ] && break; sleep 0.05; done
    [ -s verifier/address ] || { cat verifier.log >&2; echo 'The verifier did not start' >&2; exit 1; }
    CARNET_VERIFIER=http://$(cat verifier/address)
    port=${CARNET_VERIFIER##*:}
    export CARNET_VERIFIER CARNET_TOKEN_FILE=$work/alice.token
}
stop_verifier() { kill "$verifier_pid"; wait "$verifier_pid" 2>/dev/null || true; verifier_pid=''; }
agent() { carnet-agent "$@" --tcti "swtpm:path=$work/machine/tpm.sock" --state "$work/machine/agent"; }
thief() { carnet-agent "$@" --tcti "swtpm:path=$work/thief/tpm.sock" --state "$work/machine/agent"; }

chapter '1. Two machines with a TPM'
say 'A TPM is a chip that measures what a computer boots and signs the result with a key that never leaves it.'
say 'Here it is a software TPM (swtpm) whose maker is a local certificate authority.'
mkdir verifier anchors
demo-machine provision machine
demo-machine provision thief
say 'The machine boots: firmware, boot loader, kernel. Each step is hashed into a register (PCR) and written to a log.'
demo-machine boot machine

chapter '2. A verifier: the passport office'
say 'It trusts the TPM maker, and has a policy: which values the registers of a good machine hold.'
for certificate in machine/ca/*cert.pem; do
    carnet trust import "$certificate" --manifest "$manifest" --into anchors --allow "$(openssl x509 -in "$certificate" -noout -fingerprint -sha256 |
        cut -d= -f2 | tr -d : | tr A-F a-f)"
done
demo-machine policy machine >policy.yaml
show carnet policy check policy.yaml
start_verifier
say "carnet-verifier answers on $CARNET_VERIFIER, with its data in SQLite."
say 'Nobody may administer it yet. The first administrator gets a token, which is shown this once.'
show carnet-verifier bootstrap --data verifier --out alice.token

chapter '3. Enrol: is this a genuine TPM, and does the signing key live in it?'
show agent enrol --verifier "$CARNET_VERIFIER" --plain-http --name demo-node
say 'A genuine chip, but in which machine? That is what an operator approves.'
show carnet node approve demo-node
show carnet node list

chapter '4. Attest: the TPM signs its measurements, the verifier mints a passport'
show agent attest --verifier "$CARNET_VERIFIER" --plain-http --event-log machine/event-log.bin --out passport.jwt
show carnet inspect token passport.jwt
show curl -sSf -o jwks.json "$CARNET_VERIFIER/.well-known/jwks.json"
list=$(carnet status passport.jwt --json | jq -r .uri)
show curl -sSf -o list.jwt "$CARNET_VERIFIER/status-lists/${list##*/}"

chapter '5. The verifier is switched off'
stop_verifier
url=https://vault.example/secrets/disk-1
say 'The machine proves to the vault that it holds the key to which the passport is bound (DPoP),'
say 'and the vault checks passport and proof with nothing but the file of public keys.'
agent prove passport.jwt --method POST --url $url >proof.jwt
show carnet verify passport.jwt --jwks jwks.json --status-list list.jwt --issuer $issuer --audience $audience \
    --proof proof.jwt --method POST --url $url
say 'Granting is one call: the secret is encrypted to a key that only this TPM holds.'
head -c 32 /dev/urandom | sha256sum | cut -c1-64 >disk.key
agent prove passport.jwt --method POST --url $url >proof.jwt
show carnet grant passport.jwt --jwks jwks.json --status-list list.jwt --issuer $issuer --audience $audience \
    --proof proof.jwt --method POST --url $url --secret disk.key --out disk.jwe
show agent open disk.jwe --passport passport.jwt --proof proof.jwt --out opened.key
cmp disk.key opened.key
say 'The machine opened the secret with its TPM; it is byte for byte the one that was granted.'

chapter '6. A stolen passport'
say 'A thief copies the passport, and every other file, to another machine, with a TPM of its own.'
thief prove passport.jwt --method POST --url $url >stolen.jwt
refused carnet verify passport.jwt --jwks jwks.json --status-list list.jwt --issuer $issuer --audience $audience \
    --proof stolen.jwt --method POST --url $url
say 'Nor can the thief open what was granted:'
refused thief open disk.jwe --any-sender

chapter '7. A tampered machine'
start_verifier
say 'Somebody boots another boot loader. The firmware measures it, as it measures everything.'
demo-machine tamper machine
refused agent attest --verifier "$CARNET_VERIFIER" --plain-http --event-log machine/event-log.bin --out tampered.jwt
say 'And when the log is doctored to hide the boot loader, it no longer explains what the TPM signed:'
refused agent attest --verifier "$CARNET_VERIFIER" --plain-http --event-log machine/event-log.good --out tampered.jwt
say 'The machine boots as it should again.'
demo-machine boot machine

chapter '8. The other model: a background check'
say 'Here the vault asks the machine for evidence over a nonce of its own, and the verifier for a verdict, at every request.'
show carnet api-token create --role relying-party --name $audience --out vault.token
carnet background-check requirements --token-file vault.token >requirements.json
agent evidence --requirements requirements.json --event-log machine/event-log.bin --out evidence.json
show carnet background-check appraise evidence.json --requirements requirements.json --token-file vault.token

chapter '9. Both models side by side'
show carnet compare --tcti "swtpm:path=$work/machine/tpm.sock" --state "$work/machine/agent" \
    --event-log machine/event-log.bin --jwks jwks.json --issuer $issuer --audience $audience --token-file vault.token

chapter '10. A broker, and a disk that opens in a good state only'
port_of() { # a free port, for the broker has to know its own URL
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}
CARNET_BROKER=http://127.0.0.1:$(port_of)
export CARNET_BROKER CARNET_BROKER_TOKEN_FILE=$work/broker.token
carnet-broker --data broker --listen "${CARNET_BROKER#http://}" --plain-http --url "$CARNET_BROKER" --audience $audience \
    --issuer $issuer --verifier "$CARNET_VERIFIER" --verifier-plain-http --address-file broker.address >>broker.log 2>&1 &
broker_pid=$!
for _ in $(seq 200); do [ -s broker.address ] && break; sleep 0.05; done
[ -s broker.address ] || { cat broker.log >&2; echo 'The broker did not start' >&2; exit 1; }
carnet-broker bootstrap --data broker --out broker.token
say 'A broker checks passports by itself, as the vault did. Its policies say which machines get what.'
printf 'version: 1\nid: edge\nsecrets: ["default/db/*"]\nvolumes: [root]\npassport: {depth: event-log}\n' >release.yaml
show carnet secret put default/db/password --file disk.key
show carnet secret policy put release.yaml
services=(--broker "$CARNET_BROKER" --verifier "$CARNET_VERIFIER" --plain-http --event-log machine/event-log.bin)
show agent secret get default/db/password "${services[@]}" --out password
cmp disk.key password
say 'A disk: its key is sealed by the TPM to the state of today, and kept by the broker under another wrap of the same TPM.'
truncate -s 32M volume.img
(umask 077; head -c 32 /dev/urandom >install.key)
cryptsetup luksFormat --batch-mode --type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 volume.img install.key
show agent disk enrol volume.img "${services[@]}" --key-file install.key --remove-key-file install.key
show agent disk unlock volume.img --offline --test-passphrase
say 'Somebody boots another boot loader: the TPM refuses, and the broker too.'
demo-machine tamper machine
refused agent disk unlock volume.img "${services[@]}" --test-passphrase
refused agent secret get default/db/password "${services[@]}" --out stolen
demo-machine boot machine
show agent disk unlock volume.img "${services[@]}" --test-passphrase
show carnet escrow list

printf '\n%sDone in %s seconds after the build.%s\n' "$bold" $(($(date +%s) - started)) "$plain"
