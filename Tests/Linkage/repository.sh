#!/usr/bin/env bash
# The repository's own rules: the top level, no private keys, no traps on input, files of one idea.
set -euo pipefail
cd "$(dirname "$0")/../.."
failed=0
complain() { # title, findings
    [ -n "$2" ] || return 0
    printf '%s\n%s\n\n' "$1" "$2" >&2
    failed=1
}

complain 'The top level holds more than Package.swift, Sources, Tests, Keys, Docs and README.md:' \
    "$(git ls-files | cut -d/ -f1 | sort -u |
        grep -vE '^(Package\.swift|Sources|Tests|Keys|Docs|README\.md|LICENSE|Makefile|\.ci|\.editorconfig|\.gitignore|\.swift-format)$' || true)"
complain 'A private key is in the repository:' \
    "$(git grep -lE 'BEGIN ([A-Z]+ )?PRIVATE KEY' -- . ':!Tests/Linkage/repository.sh' || true)"
complain 'A trap where input may reach (force unwrap, try!, as!, fatalError):' \
    "$(git grep -nE 'try!|\bas! |fatalError\(|\)![.)]|\]![.)]' -- 'Sources/*.swift' || true)"
complain 'Unfinished, or so it says:' \
    "$(git grep -nE '\b(TODO|FIXME|XXX)\b' -- Sources Tests Docs Makefile README.md ':!Tests/Linkage/repository.sh' || true)"
complain 'A source file of more than 400 lines:' \
    "$(git ls-files -z 'Sources/*.swift' | xargs -0 -r wc -l | awk '$1 > 400 && $2 != "total" { print $1, $2 }')"
complain 'A file that must be executable:' \
    "$(git ls-files -s '*.sh' .ci/run | awk '$1 != "100755" { print $4 }')"
exit $failed
