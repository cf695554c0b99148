#!/usr/bin/env bash
# Installs the packages that build.sh made in a fresh Debian of their own (mmdebstrap), and follows them through their life: installed,
# configured, started from the unit's own line, upgraded, removed, purged. Needs root, mmdebstrap and a Debian mirror.
#   CARNET_DEBIAN_TARBALL=FILE   begins with this Debian, as `mmdebstrap --variant=minbase bookworm FILE` makes it
set -euo pipefail
cd "$(dirname "$0")/../../.."
packages=.build-release/deb
mirror=${CARNET_DEBIAN_MIRROR:-http://deb.debian.org/debian}
suite=${CARNET_DEBIAN_SUITE:-bookworm}
[ "$(id -u)" = 0 ] || { echo "Run as root: a Debian is installed into a folder" >&2; exit 1; }
[ -n "${CARNET_DEBIAN_TARBALL:-}" ] || command -v mmdebstrap >/dev/null || { echo "mmdebstrap is not installed" >&2; exit 1; }
ls $packages/carnet-verifier_*.deb >/dev/null

# Mounts of this script's own, which end with it.
[ -n "${CARNET_UNSHARED:-}" ] || CARNET_UNSHARED=1 exec unshare --mount --propagation private "$0" "$@"

step() { printf '== %s\n' "$1"; }
fail() { echo "FAILED: $1" >&2; exit 1; }
# The packages, each with the program of its name.
names="carnet carnet-admission carnet-agent carnet-broker carnet-verifier"
work=$(mktemp -d)
root=$work/root verifier=
end() {
    [ -z "$verifier" ] || kill "$verifier" 2>/dev/null || true
    wait 2>/dev/null || true
    umount "$root/proc" "$root/dev" 2>/dev/null || true
    rm -rf --one-file-system "$work"
}
trap end EXIT

step "control files: lintian"
if command -v lintian >/dev/null; then
    lintian --fail-on error,warning --suppress-tags-from-file Docs/Deploy/Debian/lintian-suppressed $packages/*.deb
else
    echo "skipped: lintian is not installed"
fi

step "a fresh $suite"
if [ -n "${CARNET_DEBIAN_TARBALL:-}" ]; then
    mkdir "$root"
    tar -C "$root" -xpf "$CARNET_DEBIAN_TARBALL"
else
    mmdebstrap --mode=root --variant=minbase --quiet "$suite" "$root" "$mirror"
fi
mount -t proc proc "$root/proc"
mount --bind /dev "$root/dev"
inside() { chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 "$@"; }
install_packages() { # folder
    rm -rf "$root/packages" && cp -r "$1" "$root/packages"
    inside sh -c 'apt-get install -qq -y --no-install-recommends /packages/*.deb >/packages/log 2>&1 || { cat /packages/log; exit 1; }'
}

# grep reads to the end (no -q): whoever writes into a closed pipe fails.
step "install"
inside apt-get update -qq
install_packages "$packages"
for program in $names; do
    inside $program --version | grep -x '[0-9.]*' >/dev/null || fail "$program does not run"
done
inside carnet-verifier --config /etc/carnet/verifier.yaml --print-config | grep '^issuer .*verifier.yaml:' >/dev/null ||
    fail "--print-config does not show the file's issuer"
inside carnet-agent run --config /etc/carnet/agent.yaml --print-config | grep '^verifier .*agent.yaml:' >/dev/null ||
    fail "--print-config does not show the agent's verifier"
[ "$(stat -c %a:%U "$root/etc/carnet/key-encryption-key")" = 600:root ] || fail "the key-encryption key is not root's alone"
[ "$(wc -c <"$root/etc/carnet/key-encryption-key")" = 43 ] || fail "the key-encryption key is not 32 bytes"
inside carnet-broker --config /etc/carnet/broker.yaml --print-config | grep '^issuer .*broker.yaml:' >/dev/null ||
    fail "--print-config does not show the broker's issuer"
[ "$(inside stat -c %a:%G /etc/carnet/broker.yaml)" = 640:carnet-broker ] || fail "the broker's configuration's mode"
[ "$(inside stat -c %a:%G /etc/carnet/verifier.yaml)" = 640:carnet ] || fail "the configuration's mode"

step "configure, and start with the unit's own line"
sed -i -e 's/^listen: .*/listen: 127.0.0.1:0/' -e 's/^tls-/# tls-/' -e 's/^# plain-http: .*/plain-http: true/' \
    -e 's/^trust-anchors:/# trust-anchors:/' -e 's/^metrics-listen:/# metrics-listen:/' \
    -e 's|^# address-file: .*|address-file: /var/lib/carnet/address|' "$root/etc/carnet/verifier.yaml"
inside carnet-verifier --config /etc/carnet/verifier.yaml --check-config
# What systemd does before it: the state's folder, the credential's copy, the user.
unit=$root/lib/systemd/system/carnet-verifier.service
command=$(sed -n 's/^ExecStart=//p' "$unit")
variable=$(sed -n 's/^Environment=//p' "$unit" | sed 's|%d|/run/credentials|')
start() {
    inside install -d -m 700 -o carnet -g carnet /var/lib/carnet
    inside install -D -m 400 -o carnet -g carnet /etc/carnet/key-encryption-key /run/credentials/key-encryption-key
    rm -f "$root/var/lib/carnet/address"
    # shellcheck disable=SC2086
    chroot "$root" /usr/bin/env -i PATH=/usr/bin "$variable" \
        setpriv --reuid=carnet --regid=carnet --clear-groups --no-new-privs --bounding-set=-all \
        $command >>"$work/log" 2>&1 &
    verifier=$!
    for _ in $(seq 120); do
        [ ! -s "$root/var/lib/carnet/address" ] || break
        kill -0 $verifier 2>/dev/null || { cat "$work/log" >&2; fail "the verifier does not start"; }
        sleep 0.25
    done
    address=$(cat "$root/var/lib/carnet/address")
    curl -sSf "http://$address/readyz" >/dev/null || { tail -3 "$work/log" >&2; fail "the verifier is not ready"; }
}
stop() { kill $verifier; wait $verifier || fail "the verifier ended with status $?"; verifier=; }
start
token=$(chroot "$root" setpriv --reuid=carnet --regid=carnet --clear-groups \
    carnet-verifier bootstrap --config /etc/carnet/verifier.yaml)
[ -n "$token" ] || fail "there is no first administrator"
listed() { curl -sSf -H "Authorization: Bearer $token" "http://$address/admin/v1/api-tokens" >/dev/null; }
listed || fail "the first administrator is nobody"
stop
[ ! -e "$root/var/lib/carnet/key-encryption-key" ] || fail "there is a second key-encryption key"
kept() { sha256sum "$root/etc/carnet/verifier.yaml" "$root/etc/carnet/key-encryption-key" "$root/var/lib/carnet/ledger-chain"; }
before=$(kept)

step "upgrade: the configuration, the key and the state are kept, and the state opens"
mkdir "$work/next"
for package in $packages/*.deb; do
    rm -rf "$work/tree"
    dpkg-deb -R "$package" "$work/tree"
    sed -i 's/^Version: .*/&+next/' "$work/tree/DEBIAN/control"
    dpkg-deb --root-owner-group -Znone --build "$work/tree" "$work/next/$(basename "$package")" >/dev/null
done
install_packages "$work/next"
inside dpkg-query -W -f '${Version}' carnet-verifier | grep '+next$' >/dev/null || fail "it was not upgraded"
[ "$(kept)" = "$before" ] || fail "the upgrade changed what it should keep"
start
listed || fail "the administrator was forgotten"
stop

step "remove: the programs go, what was kept stays"
inside apt-get remove -qq -y $names >/dev/null
for program in $names; do [ ! -e "$root/usr/bin/$program" ] || fail "$program stays"; done
[ ! -e "$unit" ] || fail "the verifier's unit stays"
[ "$(kept)" = "$before" ] || fail "the removal took what it should keep"

step "purge: nothing stays"
left=$(inside dpkg-query -W -f '${Package} ${db:Status-Status}\n' 'carnet*' | sed -n 's/ config-files$//p')
[ -n "$left" ] || fail "the removal left no configuration to purge"
inside apt-get purge -qq -y $left >/dev/null 2>&1
for path in /etc/carnet /var/lib/carnet /var/lib/carnet-agent /var/lib/carnet-broker; do
    [ ! -e "$root$path" ] || fail "$path is still there"
done
echo "The packages install, start, upgrade, and leave as they should."
