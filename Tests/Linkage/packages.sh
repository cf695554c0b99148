#!/usr/bin/env bash
# Installs the Debian packages that building, testing and the demo need, those that are named besides, and only those that are missing.
set -euo pipefail
cd "$(dirname "$0")/../.."

needed=(
    libssl-dev libjansson-dev zlib1g-dev libtss2-dev libtss2-tcti-swtpm0 libsqlite3-dev libarchive-dev pkg-config
    swtpm swtpm-tools tpm2-tools jose gcab curl jq openssl python3 python3-jwt python3-cryptography
    binutils pesign systemd systemd-boot-efi cryptsetup-bin
    libpq-dev postgresql haproxy "$@"
)
missing=()
for package in "${needed[@]}"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

sudo=()
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || { echo "Run as root, or install sudo: these packages are missing: ${missing[*]}" >&2; exit 1; }
    sudo=(sudo)
fi
echo "Installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { "${sudo[@]}" apt-get -o DPkg::Lock::Timeout=300 update &&
    "${sudo[@]}" apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
    tail -20 "$log" >&2
    echo "Could not install the packages. Is a Debian 12 mirror reachable?" >&2
    exit 1
fi
