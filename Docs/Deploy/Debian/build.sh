#!/usr/bin/env bash
# Builds the Debian packages carnet, carnet-admission, carnet-agent, carnet-broker and carnet-verifier from the release build, for this machine's Debian and architecture.
#   build.sh                   packages go to .build-release/deb
#   CARNET_PROGRAMS=FOLDER     takes the programs that are there, and builds nothing
#   CARNET_DEBIAN_REVISION=2   the packages' own version after the programs' (default 1)
set -euo pipefail
cd "$(dirname "$0")/../../.."
sources=Docs/Deploy/Debian units=Docs/Deploy/systemd scratch=.build-release
swift=${SWIFT:-swift}
options=(-c release --static-swift-stdlib --disable-local-rpath --scratch-path "$scratch")
programs=${CARNET_PROGRAMS:-}
if [ -z "$programs" ]; then
    for product in carnet carnet-admission carnet-agent carnet-broker carnet-verifier; do "$swift" build "${options[@]}" --product "$product"; done
    programs=$("$swift" build "${options[@]}" --show-bin-path)
fi
version=$(sed -n 's/.*let version = "\(.*\)"/\1/p' Sources/CarnetResult/Release.swift)-${CARNET_DEBIAN_REVISION:-1}
architecture=$(dpkg --print-architecture)
# The same sources make the same packages.
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null || stat -c %Y Package.swift)
export SOURCE_DATE_EPOCH
output=$scratch/deb
rm -rf "$output"
mkdir -p "$output"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
umask 022

# A manual page: what --help says, as it stands.
manual_page() { # program, section, command...
    local program=$1 section=$2 command
    shift 2
    printf '.TH %s %s "%s" "Carnet %s"\n.SH NAME\n%s \\- %s\n' "${program^^}" "$section" \
        "$(date -u -d "@$SOURCE_DATE_EPOCH" +%F)" "$version" "$program" \
        "$("$programs/$program" --help | sed -n 's/^OVERVIEW: \(.*[^.]\)\.\{0,1\}$/\1/p;T;q')"
    for command in "" "$@"; do
        # shellcheck disable=SC2086
        { printf '.SH "%s"\n.nf\n' "${program^^}${command:+ ${command^^}}"
            "$programs/$program" $command --help | sed -e 's/\\/\\e/g' -e 's/-/\\-/g' -e "s/^\\([.']\\)/\\\\\\&\\1/"
            printf '.fi\n'; }
    done
}

dependencies() { # folder with the programs
    mkdir -p "$work/shlibs/debian"
    printf 'Source: carnet\n\nPackage: carnet\nArchitecture: any\n' >"$work/shlibs/debian/control"
    (cd "$work/shlibs" && dpkg-shlibdeps -O --ignore-missing-info "$@" 2>/dev/null) | sed -n 's/^shlibs:Depends=//p'
}

package() { # name, section of its manual, subcommands of its manual...
    local name=$1 section=$2 root=$work/$1 doc=$work/$1/usr/share/doc/$1 file
    shift 2
    install -D "$programs/$name" "$root/usr/bin/$name"
    strip --strip-unneeded --remove-section=.comment "$root/usr/bin/$name"
    mkdir -p "$root/usr/share/man/man$section" "$doc" "$root/DEBIAN"
    manual_page "$name" "$section" "$@" | gzip -9n >"$root/usr/share/man/man$section/$name.$section.gz"
    install -m 644 $sources/copyright "$doc/copyright"
    sed "s/@VERSION@/$version/; s/@DATE@/$(date -u -R -d "@$SOURCE_DATE_EPOCH")/" $sources/changelog |
        gzip -9n >"$doc/changelog.Debian.gz"
    lay_out_"${name//-/_}" "$root" "$doc"
    find "$root" -path "$root/DEBIAN" -prune -o -type f -printf '%P\0' | sort -z |
        (cd "$root" && xargs -0 md5sum) >"$root/DEBIAN/md5sums"
    if [ -d "$root/etc" ]; then
        (cd "$root" && find etc -type f -printf '/%p\n' | sort) >"$root/DEBIAN/conffiles"
    fi
    for file in postinst prerm postrm; do
        [ ! -f "$sources/$name.$file" ] || install -m 755 "$sources/$name.$file" "$root/DEBIAN/$file"
    done
    sed -e "s/@VERSION@/$version/; s/@ARCHITECTURE@/$architecture/; s/@SHLIBS@/$(dependencies "$root/usr/bin/$name")/" \
        -e "s/@SIZE@/$(du -sk --exclude=DEBIAN "$root" | cut -f1)/" "$sources/$name.control" >"$root/DEBIAN/control"
    find "$root" -newermt "@$SOURCE_DATE_EPOCH" -print0 | xargs -0r touch --no-dereference --date="@$SOURCE_DATE_EPOCH"
    dpkg-deb --root-owner-group -Zxz --build "$root" "$output/${name}_${version}_$architecture.deb" >/dev/null
    echo "$output/${name}_${version}_$architecture.deb"
}

lay_out_carnet() {
    install -D -m 644 Keys/TrustAnchors/manifest.json "$1/usr/share/carnet/trust-anchors.json"
}
lay_out_carnet_admission() {
    # It runs in a cluster's pods, and where an operator starts it: there is no service to start here.
    install -D -m 644 Docs/Examples/admission.yaml "$2/examples/admission.yaml"
    mkdir -p "$2/examples/kubernetes" "$2/examples/helm"
    cp -r Docs/Deploy/Kubernetes/admission "$2/examples/kubernetes/"
    cp -r Docs/Deploy/Helm/carnet-admission "$2/examples/helm/"
}
lay_out_carnet_agent() {
    install -D -m 644 $units/carnet-agent.service "$1/lib/systemd/system/carnet-agent.service"
    install -D -m 644 Docs/Examples/agent.yaml "$1/etc/carnet/agent.yaml"
    install -D -m 644 $units/carnet-agent-kubelet.service "$1/lib/systemd/system/carnet-agent-kubelet.service"
    install -D -m 644 Docs/Examples/agent-kubelet.yaml "$1/etc/carnet/agent-kubelet.yaml"
}
lay_out_carnet_broker() {
    install -D -m 644 $units/carnet-broker.service "$1/lib/systemd/system/carnet-broker.service"
    install -D -m 644 Docs/Examples/broker.yaml "$1/etc/carnet/broker.yaml"
}
lay_out_carnet_verifier() {
    install -D -m 644 $units/carnet-verifier.service "$1/lib/systemd/system/carnet-verifier.service"
    install -D -m 644 Docs/Examples/verifier.yaml "$1/etc/carnet/verifier.yaml"
    install -D -m 644 Docs/Examples/grafana-dashboard.json "$2/examples/grafana-dashboard.json"
}

package carnet 1 verify grant "secret put" "secret policy put" "escrow recover" admit "admission preflight"
package carnet-admission 8 serve
package carnet-agent 8 run status enrol attest prove open seal unseal phase "secret get" "disk enrol" "disk unlock" "kek seal" kubelet
package carnet-broker 8 serve rewrap
package carnet-verifier 8 serve rewrap
