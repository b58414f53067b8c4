#!/usr/bin/env bash
# Runs each target for so many seconds, or those that are named: `fuzz/run.sh [SECONDS [TARGET..]]`. It begins with what
# `fuzz/corpus/TARGET.tar.gz` has; what fails is in `fuzz/artifacts/TARGET`, and the script then fails too.
# `fuzz/run.sh --keep` writes what was found into those archives, as much of it as the coverage needs.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")" || exit 1

host=$(rustc -vV | sed -n 's/^host: //p')
# What cargo-fuzz sets, but for what takes a nightly compiler.
coverage="--cfg fuzzing -Ccodegen-units=1 -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table
    -Cllvm-args=-sanitizer-coverage-trace-compares"
RUSTFLAGS=$(tr -s '\n ' ' ' <<<"$coverage")
export RUSTFLAGS
# Of these packages alone: no other build has their flags.
built=${CARGO_TARGET_DIR:-$PWD/target}/$host/release
found=${CARGO_TARGET_DIR:-$PWD/target}/corpus

main() {
    command -v c++ >/dev/null || { echo "missing: a C++ compiler (on Debian: apt-get install g++)" >&2; exit 1; }
    # With a target named, build scripts and macros are built without coverage.
    cargo build --release --locked --target "$host" || exit 1
    local seconds=${1:-60} target
    local targets=("${@:2}")
    ((${#targets[@]})) || mapfile -t targets < <(for file in targets/*.rs; do basename "$file" .rs; done)
    if [[ $seconds == --keep ]]; then
        for target in "${targets[@]}"; do keep "$target" || exit 1; done
        return
    fi
    # As many at once as there are cores.
    printf '%s\n' "${targets[@]}" | xargs -P "$(nproc)" -I{} ./run.sh --one {} "$seconds"
    local status=$?
    ((status == 0)) || echo "FAILED: see fuzz/artifacts" >&2
    return "$status"
}

# A target for so many seconds: a line of what it did, or all that it said where it failed.
one() {
    local target=$1 seconds=$2 log
    log=$(mktemp)
    mkdir -p "artifacts/$target"
    unpack "$target"
    if "$built/$target" "$found/$target" "seeds/$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=4096 \
        -max_len="$(longest "$target")" -artifact_prefix="artifacts/$target/" -print_final_stats=1 >"$log" 2>&1; then
        printf '%-14s %s\n' "$target" "$(awk '
            /^Done/ { runs = $2 }
            / cov: / { for (at = 1; at <= NF; at++) { if ($at == "cov:") cov = $(at + 1); if ($at == "corp:") corp = $(at + 1) } }
            END { print runs " runs, coverage " cov ", corpus " corp }' "$log")"
        rm -f "$log"
    else
        tail -n 60 "$log"
        echo "FAILED: $target; run it again with $built/$target artifacts/$target/.." >&2
        rm -f "$log"
        return 1
    fi
}

longest() {
    case $1 in
        request) echo 2048 ;;
        policy) echo 512 ;;
        *) echo 4096 ;;
    esac
}

# Thousands of small files are one in the repository.
unpack() {
    [[ ! -d $found/$1 ]] || return 0
    mkdir -p "$found/$1"
    [[ ! -e corpus/$1.tar.gz ]] || tar -xzf "corpus/$1.tar.gz" -C "$found/$1"
}

keep() {
    local target=$1 small
    small=$(mktemp -d)
    mkdir -p "artifacts/$target"
    unpack "$target"
    "$built/$target" -merge=1 -max_len="$(longest "$target")" -artifact_prefix="artifacts/$target/" "$small" "$found/$target" "seeds/$target" >/dev/null 2>&1 ||
        { echo "FAILED: $target" >&2; return 1; }
    mkdir -p corpus
    tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf - -C "$small" . | gzip -9n >"corpus/$target.tar.gz"
    echo "$target: $(find "$small" -type f | wc -l) inputs, $(stat -c %s "corpus/$target.tar.gz") bytes"
    rm -rf "$small"
}

if [[ ${1-} == --one ]]; then
    one "$2" "$3"
else
    main "$@"
fi
