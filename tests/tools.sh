#!/usr/bin/env bash
# What is in the tree of dependencies, what is named there and not used, and how the texts are spelled. Installs the tools that are
# missing into the target directory; says what is missing where it cannot, and fails.
# `--advisories` asks for known vulnerabilities instead. Their database comes from GitHub.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

target=${CARGO_TARGET_DIR:-$PWD/target}/tools
PATH=$PATH:$target/bin
status=0

main() {
    need cargo-deny cargo-deny 0.20.2
    if [[ ${1-} == --advisories ]]; then
        run cargo deny --workspace check advisories
        exit "$status"
    fi
    need cargo-machete cargo-machete 0.9.2
    need typos typos-cli 1.52.0
    run cargo deny --workspace --log-level error check bans licenses sources
    run cargo machete
    run typos
    exit "$status"
}

# A program, the crate that has it, and its version.
need() {
    local program=$1 crate=$2 version=$3
    ! command -v "$program" >/dev/null || return 0
    echo "installing $crate"
    # Built in half the time, and fast enough.
    CARGO_TARGET_DIR=$target/build cargo install --quiet --debug --locked --root "$target" "$crate@$version" &&
        command -v "$program" >/dev/null || { echo "missing: $program; cargo install --locked $crate" >&2; exit 1; }
    rm -rf "$target/build"
}

run() {
    "$@" || { echo "FAILED: $*" >&2; status=1; }
}

main "$@"
