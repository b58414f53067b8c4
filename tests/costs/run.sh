#!/usr/bin/env bash
# Counts the instructions that the server's worker thread spends on a request, or on all requests of a flow, for each row or
# for those named; `hit@redis` is the row over that store.
# What the worker spends before the first mark does not count: that is what starting costs, and the first requests.
#
# `--check` compares each row of `budget` with what it costs, and fails where one is more than 3 % off; `--write` writes what
# they cost there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

# Counts of fewer requests differ by more, but for a check they do.
case ${1-} in
    --check | --write | --one) before=100 counted=1000 ;;
    *) before=${BEFORE:-2000} counted=${COUNTED:-10000} ;;
esac
guards=(alone bare hit miss typed token wrapped before none garbage forged refused
    hand hand-none hand-garbage hand-forged hand-refused grants)
# Each takes ten times as long as a guarded request, or longer.
flows=(flow flow-es256 flow-eddsa flow-rs256 flow-openid flow-oxide session session-es256 refresh refresh-es256 refresh-oxide
    revoke revoke-es256)
questions=(introspect introspect-es256 metadata jwks)
# Where the profiles stay, for callgrind_annotate.
out=${OUT:-$(mktemp -d)}
export OUT=$out
mkdir -p "$out"

command -v valgrind >/dev/null || { echo "missing: valgrind (on Debian: apt-get install valgrind)" >&2; exit 1; }
release=${CARGO_TARGET_DIR:-target}/release
[[ ${1-} == --one ]] || cargo build --release --quiet -p oauth-tests-costs
# Of another store than memory: with all features, since its engines are those of the tests.
[[ $* != *@* ]] || cargo build --release --quiet -p oauth-tests --example instructions

# What the worker spent before its mark of this number, and since the one before it.
spent() {
    local files=("$1.$2"-[0-9]*)
    [[ -e ${files[0]} && ${#files[@]} == 1 ]] || { echo "$1: not one worker thread, but: ${files[*]}" >&2; return 1; }
    awk '/^(totals|summary):/ { print $2; exit }' "${files[0]}"
}

# What a row takes, once. The third mark says what a mark takes.
count() {
    local row=$1 profile=$out/$1 program=$release/oauth-tests-costs each=1 all mark
    [[ " ${flows[*]} " != *" $row "* ]] || each=10
    [[ $row != *@* ]] || program=$release/examples/instructions
    rm -f "$profile"[.-]*
    valgrind --tool=callgrind --separate-threads=yes --callgrind-out-file="$profile" \
        --dump-before=oauth_tests_costs::dump_here "$program" "$row" $((before / each)) $((counted / each)) \
        >"$profile.log" 2>&1 || { cat "$profile.log" >&2; return 1; }
    all=$(spent "$profile" 2)
    mark=$(spent "$profile" 3)
    echo $(((all - mark) / (counted / each)))
}

table() {
    local row each bare=
    printf '%-16s %12s %12s\n' row instructions "over bare"
    for row in "$@"; do
        each=$(count "$row")
        [[ $row != bare ]] || bare=$each
        printf '%-16s %12d %12s\n' "$row" "$each" "${bare:+$((each - bare))}"
    done
}

# What each of these rows takes, a line each, as many at once as there are cores: counts do not depend on that.
counts() {
    printf '%s\n' "$@" | xargs -P "$(nproc)" -I{} tests/costs/run.sh --one {}
}

write() {
    local row written
    written=$(counts "${kept[@]}")
    for row in "${kept[@]}"; do grep "^$row " <<<"$written"; done >"$budget"
}

# Another compiler or C library moves all rows alike: what is compared is a row's share of `alone`.
check() {
    local row due each scaled off passed=0 failed=0 alone alone_due counted
    counted=$(counts "${kept[@]}")
    alone_due=$(awk '$1 == "alone" { print $2 }' "$budget")
    alone=$(awk '$1 == "alone" { print $2 }' <<<"$counted")
    printf '%-16s %12s %12s\n' row instructions budget
    while read -r row due; do
        [[ $row != alone ]] || continue
        each=$(awk -v row="$row" '$1 == row { print $2 }' <<<"$counted")
        scaled=$((due * alone / alone_due))
        off=$(((each - scaled) * 1000 / scaled))
        printf '%-16s %12d %12d\n' "$row" "$each" "$scaled"
        if ((off > 30)); then
            echo "FAILED: $row costs $each instructions, $off per mille more than its budget"
            failed=$((failed + 1))
        elif ((off < -30)); then
            echo "FAILED: $row costs $each instructions, ${off#-} per mille less than its budget: tests/costs/run.sh --write"
            failed=$((failed + 1))
        else
            passed=$((passed + 1))
        fi
    done <"$budget"
    echo "test result: rows within their budgets: $passed passed; $failed failed;"
    ((failed == 0))
}

budget=tests/costs/budget
# Of our own rows, and of those in which another's code counts for little.
kept=(alone bare hit miss typed token wrapped before none garbage forged refused
    flow flow-es256 flow-openid refresh refresh-es256 introspect introspect-es256 revoke revoke-es256 metadata jwks)
case ${1-} in
    --check) check ;;
    --write) write ;;
    --one) echo "$2 $(count "$2")" ;;
    "") table "${guards[@]}" "${flows[@]}" "${questions[@]}" ;;
    *) table "$@" ;;
esac
[[ ${1-} == --* ]] || echo "profiles: $out"
