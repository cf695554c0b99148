#!/usr/bin/env bash
# Builds the Kubernetes API server that tests may run against into .build-kubernetes/bin: kube-apiserver, kube-controller-manager and kubectl of
# Debian 12's source package, with Debian's Go, and etcd of Debian's package. What is there is kept. Takes some ten minutes of one core and 3 GB
# of disk, of which 450 MB stay.
#
# Debian ships no kube-apiserver as a binary package. Its source tree has everything vendored; upstream's make wants its own Go, so the
# commands are built with the go command alone, after the one file that make would generate.
set -euo pipefail
cd "$(dirname "$0")/../.."

programs=(etcd kube-apiserver kube-controller-manager kubectl)
folder=$PWD/.build-kubernetes
# kubernetes_1.20.5+really1.20.2.orig.tar.gz. apt has checked it against the archive's signature already; this says which server it is.
digest=b83c0780efb182d928dc63d46488a847f161f04e40a94b96bf5247dd671ecdfc
version=v1.20.2

complete=1
for program in "${programs[@]}"; do [ -x "$folder/bin/$program" ] || complete=0; done
[ $complete = 0 ] || exit 0

began=$SECONDS
say() { printf '%4d s  %s\n' $((SECONDS - began)) "$1"; }
say "Kubernetes $version is built once, into .build-kubernetes: some ten minutes"
Tests/Linkage/packages.sh golang-go dpkg-dev

mkdir -p "$folder/bin"
work=$folder/work
rm -rf "$work"
mkdir -p "$work"/{lists,cache/archives,sources,etcd}/partial
trap 'status=$?; [ $status = 0 ] || echo "Not built; what was said last is above, and $work is kept" >&2' EXIT

# apt with an index of its own, so that the machine's sources stay as they are, and etcd is unpacked rather than installed as a service.
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Codename: bookworm' 'Created-By: Packages' | head -n 1)
for kind in deb deb-src; do
    echo "$kind [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${mirror:-http://deb.debian.org/debian} bookworm main"
done >"$work/sources.list"
cat >"$work/apt.conf" <<END
Dir::Etc::SourceList "$work/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::State::Lists "$work/lists";
Dir::Cache "$work/cache";
APT::Sandbox::User "";
END
export APT_CONFIG=$work/apt.conf
say "Fetching Debian's source package"
apt-get -qq update
(cd "$work/sources" && apt-get -qq source --only-source kubernetes >"$work/source.log" 2>&1)
(cd "$work/etcd" && apt-get -qq download etcd-server && dpkg-deb -x etcd-server_*.deb .)
# The vendored reflect2 is older than Go 1.18, with which it reads maps wrongly: objects lose members, and the server dies.
(cd "$work/sources" && apt-get -qq download golang-github-modern-go-reflect2-dev golang-github-json-iterator-go-dev &&
    for package in golang-github-*.deb; do dpkg-deb -x "$package" newer; done)
echo "$digest  $(ls "$work"/sources/kubernetes_*.orig.tar.gz)" | sha256sum --check --quiet
install -s "$work/etcd/usr/bin/etcd" "$folder/bin/etcd"

# One core, and after everybody else.
export GOPATH=$work/go GOCACHE=$work/cache/go GO111MODULE=off GOFLAGS= CGO_ENABLED=0 GOMAXPROCS=1
tree=$GOPATH/src/k8s.io/kubernetes
mkdir -p "$(dirname "$tree")"
mv "$work"/sources/kubernetes-*/ "$tree"
for library in modern-go/reflect2 json-iterator/go; do
    rm -rf "$tree/vendor/github.com/$library"
    cp -r "$work/sources/newer/usr/share/gocode/src/github.com/$library" "$tree/vendor/github.com/$library"
done
cd "$tree"
build() { nice -n 10 go build -p 1 "$@"; }

say "Generating the OpenAPI definitions"
build -o "$work/openapi-gen" k8s.io/kubernetes/vendor/k8s.io/kube-openapi/cmd/openapi-gen
inputs=$(grep -rl --include='*.go' '+k8s:openapi-gen=' pkg staging/src/k8s.io |
    grep -vE '/zz_generated|/code-generator/|/sample-apiserver/|/_|/testdata/' |
    xargs -n 1 dirname | sort -u | sed -E 's,^staging/src/,vendor/,; s,^,k8s.io/kubernetes/,' | paste -sd ,)
nice -n 10 "$work/openapi-gen" --logtostderr -i "$inputs" -p k8s.io/kubernetes/pkg/generated/openapi -O zz_generated.openapi \
    -h hack/boilerplate/boilerplate.generatego.txt -r "$work/violations"

# The first is what `--version` says, the second what /version does: the aggregator answers there.
flags="-s -w"
for part in k8s.io/kubernetes/vendor/k8s.io/{component-base/version,client-go/pkg/version}; do
    flags+=" -X $part.gitVersion=$version -X $part.gitMajor=1 -X $part.gitMinor=20"
done
for program in kube-apiserver kube-controller-manager kubectl; do
    say "Building $program"
    build -ldflags "$flags" -o "$folder/bin/$program.new" "k8s.io/kubernetes/cmd/$program"
    mv "$folder/bin/$program.new" "$folder/bin/$program"
done
cd "$folder"
rm -rf "$work"
say "Done: $(du -sh "$folder/bin" | cut -f 1) in .build-kubernetes/bin"
