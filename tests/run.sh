#!/usr/bin/env bash
# Runs every test there is, and says where the time went. Installs what is missing where it can; says what is missing where
# it cannot, and fails.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

readonly APACHE_OPENIDC=/usr/lib/apache2/modules/mod_auth_openidc.so

# Some steps compute and some wait: with one more than there are cores, none is idle.
readonly AT_ONCE=$(($(nproc) + 1))

passed=0
failed=0
failures=()
times=()
steps=()
# Cargo's test programs that have a step of their own.
named=()
results=$(mktemp -d)
trap 'for step in $(jobs -p); do kill -- -"$step" 2>/dev/null; done; rm -rf "$results"' EXIT
trap 'exit 130' INT TERM

main() {
    need_cargo
    need_package node nodejs npm
    need_package npm npm
    need_package chromium chromium
    need_package valgrind valgrind
    need_servers
    need_venv

    # The same features everywhere: others would build everything a second time.
    step "build" cargo test --workspace --all-features --no-run
    step "build the examples" cargo build --workspace --all-features --examples --bins
    step "build the benches" cargo bench --workspace --all-features --profile dev --bench '*' --no-run
    step "build what is counted" cargo build --release --quiet -p oauth-tests-costs
    # It builds what its programs need in a directory of its own, which takes longer than the test.
    step "build what trybuild needs" cargo_test by_trybuild

    local built="${CARGO_TARGET_DIR:-$PWD/target}/debug"
    export QUICKSTART_BIN="$built/examples/quickstart"
    export PAGES_BIN="$built/examples/pages"
    export IDENTITY_BIN="$built/examples/identity"
    export MCP_BIN="$built/examples/mcp"
    export RESOURCE_SERVER_BIN="$built/examples/resource_server"
    export OPENAPI_BIN="$built/examples/openapi"
    export SPA_BIN="$built/spa"
    export TEMPLATE_BIN="$built/notes-app"
    export CLIENT_SPA_BIN="$built/client_spa"
    export KEY_PERIODS_BIN="$built/key_periods"

    # Each in a process group of its own, so that a run that is interrupted leaves none behind. The longest come first.
    set -m
    beside "Chromium" node_tests tests/browser
    beside "several processes" cargo_test several
    beside "flows" cargo_test flows
    # How many instructions there are does not depend on what else runs.
    beside "budgets of instructions" tests/costs/run.sh --check
    beside "stores" cargo_test stores
    beside "what does not compile" cargo_test compile mistakes
    beside "other programs" cargo_test_others
    beside "doc tests" cargo test --workspace --all-features --no-fail-fast --doc
    beside "Python clients" python_clients
    beside "JavaScript clients" node_tests tests/clients/js
    # What is measured must run. How fast it is, a plain `cargo bench` says.
    beside "each bench once" cargo bench --workspace --all-features --profile dev --bench '*' --no-fail-fast -- --test
    wait
    sum_up

    echo
    echo "== where the time went: seconds, and those of processors"
    printf '%s\n' "${times[@]}" "$(printf '%4d s         in all' "$SECONDS")"
    echo
    for failure in "${failures[@]}"; do echo "FAILED: $failure"; done
    echo "$passed passed, $failed failed"
    ((failed == 0))
}

# Runs a step by itself, in sight.
step() {
    local name=$1
    shift
    [[ $1 != cargo_test ]] || named+=("${@:2}")
    echo
    echo "== $name"
    run "${#steps[@]}" "$@" | tee "$results/${#steps[@]}.log"
    ended "$name" "${#steps[@]}"
    steps+=("$name")
}

# Runs a step beside others. What it prints comes whole, when it has ended.
beside() {
    local name=$1 number=${#steps[@]}
    shift
    [[ $1 != cargo_test ]] || named+=("${@:2}")
    while (($(jobs -rp | wc -l) >= AT_ONCE)); do wait -n; done
    {
        run "$number" "$@" >"$results/$number.log"
        flock 9
        printf '\n== %s\n' "$name"
        cat "$results/$number.log"
        ended "$name" "$number"
    } 9>"$results/lock" &
    steps+=("$name")
}

# Runs a command, and leaves its exit status and what it took.
run() {
    local number=$1 TIMEFORMAT='%0R %0U %0S'
    shift
    { time "$@" </dev/null 2>&1 9>&-; } 2>"$results/$number.time"
    echo $? >"$results/$number.status"
}

ended() {
    printf '== %s: %d s\n' "$1" "$(tail -n 1 "$results/$2.time" | cut -d' ' -f1)"
}

# Adds up what the runners of all steps counted. A step that left no status has failed.
sum_up() {
    local number name status seconds user system
    for number in "${!steps[@]}"; do
        name=${steps[number]}
        status=$(cat "$results/$number.status" 2>/dev/null) || status=none
        read -r seconds user system < <(tail -n 1 "$results/$number.time") || true
        times+=("$(printf '%4d s %5d s  %s' "${seconds:-0}" "$((${user:-0} + ${system:-0}))" "$name")")
        slowest "$results/$number.log"
        count "$results/$number.log" "$status" "$name"
    done
}

# The tests of these programs.
cargo_test() {
    cargo test --workspace --all-features --no-fail-fast "${@/#/--test=}"
}

# Those of all other programs that a plain `cargo test` runs.
cargo_test_others() {
    local targets
    targets=$(cargo metadata --no-deps --format-version 1 | python3 -c '
import json, sys
kinds, named = {"bin", "example", "test"}, {("test", name) for name in sys.argv[1:]}
targets = [target for package in json.load(sys.stdin)["packages"] for target in package["targets"] if target["test"]]
programs = {(kind, target["name"]) for target in targets for kind in kinds & set(target["kind"])}
print("--lib", *sorted(f"--{kind}={name}" for kind, name in programs - named))' "${named[@]}") || return 1
    # shellcheck disable=SC2086
    cargo test --workspace --all-features --no-fail-fast $targets
}

# Of cargo's test programs, those that took three seconds or more.
slowest() {
    local seconds program
    while read -r seconds program; do
        ((seconds < 3)) || times+=("$(printf '%4d s          of these: %s' "$seconds" "$program")")
    done < <(awk '
        /^ *Running /           { program = $NF; gsub(/.*\/|-[0-9a-f]+\)$/, "", program) }
        /^ *Doc-tests /         { program = ""; crate = $2 }
        /^test result: /        { if (program != "") print int($NF), program }
        /^all doctests ran in / { print int($5), "doc tests of " crate }
    ' "$1")
}

# Reads the closing lines of cargo test, pytest and node --test.
count() {
    local log=$1 status=$2 name=$3 ok bad
    ok=$(sed -nE 's/^test result: .* ([0-9]+) passed;.*/\1/p; s/^.*[^0-9]([0-9]+) passed.* in [0-9.]+s.*$/\1/p; s/^(# |ℹ )pass ([0-9]+)$/\2/p' "$log" | paste -sd+ | sed 's/^$/0/')
    bad=$(sed -nE 's/^test result: .* ([0-9]+) failed;.*/\1/p; s/^.*[^0-9]([0-9]+) failed.* in [0-9.]+s.*$/\1/p; s/^(# |ℹ )fail ([0-9]+)$/\2/p' "$log" | paste -sd+ | sed 's/^$/0/')
    passed=$((passed + ok))
    failed=$((failed + bad))
    # A skipped or ignored test has not run, and a test that has not run has not passed.
    if grep -qE '^test result: .* [1-9][0-9]* ignored;|[^0-9][1-9][0-9]* skipped.* in [0-9.]+s|^(# |ℹ )skipped [1-9]' "$log"; then
        failed=$((failed + 1))
        failures+=("$name: a test was skipped")
    fi
    if [[ $status != 0 ]]; then
        ((bad > 0)) || failed=$((failed + 1))
        failures+=("$name (exit status $status)")
    fi
}

python_clients() {
    local venv=tests/clients/python/.venv
    "$venv/bin/python" -c '' 2>/dev/null || python3 -m venv --clear "$venv" || return 1
    installed tests/clients/python/requirements.txt "$venv" \
        "$venv/bin/pip" install --quiet --disable-pip-version-check -r tests/clients/python/requirements.txt || return 1
    "$venv/bin/python" -m pytest tests/clients/python
}

node_tests() {
    (cd "$1" && installed package-lock.json node_modules npm ci --no-audit --no-fund && npm test)
}

# Installs into a folder what a lock file names, unless that very file has been installed there.
installed() {
    local lock=$1 folder=$2
    shift 2
    cmp -s "$lock" "$folder/.installed" && return
    "$@" && cp "$lock" "$folder/.installed"
}

need_cargo() {
    command -v cargo >/dev/null || missing "cargo: install a Rust toolchain with rustup"
    command -v cc >/dev/null || install_packages gcc libc6-dev
    command -v cc >/dev/null || missing "cc: a C compiler, for the cryptography"
}

# A command, and the Debian packages that have it.
need_package() {
    local command=$1
    shift
    command -v "$command" >/dev/null || install_packages "$@"
    command -v "$command" >/dev/null || missing "$command: install the package $*"
}

need_venv() {
    need_package python3 python3 python3-venv
    python3 -c 'import ensurepip' 2>/dev/null || install_packages python3-venv
    python3 -c 'import ensurepip' 2>/dev/null || missing "python3 venv: install the package python3-venv"
}

# The tests start these on ports of their own; whether a service of the system runs does not matter to them.
need_servers() {
    # A user's PATH often lacks the directory of servers.
    local PATH=$PATH:/usr/sbin
    need_package setpriv util-linux
    need_package redis-server redis-server
    need_package redis-cli redis-tools
    need_package nginx nginx
    need_package caddy caddy
    # It reads the guide's unit; that systemd runs does not matter.
    need_package systemd-analyze systemd
    # They also fill a disk of their own, watch what is written and synced, and make certificates.
    need_package strace strace
    need_package unshare util-linux
    need_package mount mount
    need_package openssl openssl
    need_package apache2 apache2
    [[ -e $APACHE_OPENIDC ]] || install_packages libapache2-mod-auth-openidc
    [[ -e $APACHE_OPENIDC ]] || missing "mod_auth_openidc: install the package libapache2-mod-auth-openidc"
    has_postgres || install_packages postgresql
    has_postgres || missing "PostgreSQL in /usr/lib/postgresql: install the package postgresql"
}

has_postgres() {
    compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null
}

install_packages() {
    command -v apt-get >/dev/null || return 0
    local as_root=()
    if ((EUID != 0)); then
        command -v sudo >/dev/null || return 0
        as_root=(sudo -n)
    fi
    echo "installing $*"
    "${as_root[@]}" apt-get update -qq </dev/null
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" </dev/null
}

missing() {
    echo "missing and not installed: $1" >&2
    echo "0 passed, 1 failed"
    exit 1
}

main "$@"
