#!/usr/bin/env bash
# build.sh DIRECTORY: builds the peers that can be had on this machine, and lists them in DIRECTORY/peers.tsv as name and command.
# A peer that is absent is said to be absent, and fails the run, but for golang-jwt, which may not be to be had.
set -uo pipefail
peers=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
out=$(cd "$1" && pwd)
: >"$out/peers.tsv"

present() { printf '%s\t%s\n' "$1" "$2" >>"$out/peers.tsv"; }
missing=0
absent() {
    echo "Peer $1 is absent: $2"
    [ "$1" = golang-jwt ] || missing=1
}

if ! pkg-config --exists libjwt 2>/dev/null; then absent libjwt 'apt-get install libjwt-dev'
elif cc -O2 -o "$out/libjwt" "$peers/libjwt.c" $(pkg-config --cflags --libs libjwt) 2>"$out/libjwt.log"; then present libjwt "$out/libjwt"
else absent libjwt "it does not build, see $out/libjwt.log"; fi

if ! pkg-config --exists jose 2>/dev/null; then absent libjose 'apt-get install libjose-dev'
elif cc -O2 -o "$out/libjose" "$peers/libjose.c" $(pkg-config --cflags --libs jose jansson) 2>"$out/libjose.log"; then present libjose "$out/libjose"
else absent libjose "it does not build, see $out/libjose.log"; fi

if python3 -c 'import jwt, cryptography' 2>/dev/null; then present PyJWT "python3 $peers/pyjwt.py"
else absent PyJWT 'apt-get install python3-jwt python3-cryptography'; fi

if ! command -v go >/dev/null; then absent golang-jwt 'no go in PATH'
elif cp -r "$peers/golang-jwt" "$out/golang" && (cd "$out/golang" && go mod tidy && go build -o "$out/golang-jwt" .) >"$out/golang.log" 2>&1
then present golang-jwt "$out/golang-jwt"
else absent golang-jwt "it does not build, see $out/golang.log"; fi

if swift build --package-path "$peers/jwt-kit-peer" --scratch-path "$out/jwt-kit-build" -c release >"$out/jwt-kit.log" 2>&1
then present jwt-kit "$(swift build --package-path "$peers/jwt-kit-peer" --scratch-path "$out/jwt-kit-build" -c release --show-bin-path)/jwt-kit-peer"
else absent jwt-kit "it does not build, see $out/jwt-kit.log"; fi
exit $missing
