#!/usr/bin/env bash
# Runs every test there is, and says where the time went. Installs what is missing where it can; says what is missing where
# it cannot, and fails.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

readonly APACHE_OPENIDC=/usr/lib/apache2/modules/mod_auth_openidc.so

passed=0
failed=0
failures=()
times=()

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
    step "cargo test" cargo test --workspace --all-features --no-fail-fast
    # What is measured must run. How fast it is, a plain `cargo bench` says.
    step "budgets of instructions" tests/costs/run.sh --check
    step "each bench once" cargo bench --workspace --all-features --profile dev --bench '*' --no-fail-fast -- --test
    export QUICKSTART_BIN="${CARGO_TARGET_DIR:-$PWD/target}/debug/examples/quickstart"
    export PAGES_BIN="${CARGO_TARGET_DIR:-$PWD/target}/debug/examples/pages"
    export IDENTITY_BIN="${CARGO_TARGET_DIR:-$PWD/target}/debug/examples/identity"
    export MCP_BIN="${CARGO_TARGET_DIR:-$PWD/target}/debug/examples/mcp"
    export RESOURCE_SERVER_BIN="${CARGO_TARGET_DIR:-$PWD/target}/debug/examples/resource_server"
    export OPENAPI_BIN="${CARGO_TARGET_DIR:-$PWD/target}/debug/examples/openapi"
    export SPA_BIN="${CARGO_TARGET_DIR:-$PWD/target}/debug/spa"
    export CLIENT_SPA_BIN="${CARGO_TARGET_DIR:-$PWD/target}/debug/client_spa"
    export KEY_PERIODS_BIN="${CARGO_TARGET_DIR:-$PWD/target}/debug/key_periods"
    step "Python clients" python_clients
    step "JavaScript clients" node_tests tests/clients/js
    step "Chromium" node_tests tests/browser

    echo
    echo "== where the time went"
    printf '%s\n' "${times[@]}" "$(printf '%4d s  in all' "$SECONDS")"
    echo
    for failure in "${failures[@]}"; do echo "FAILED: $failure"; done
    echo "$passed passed, $failed failed"
    ((failed == 0))
}

# Runs a step, keeps its output in sight, and adds up what its runner counted.
step() {
    local name=$1 log status begun=$SECONDS
    shift
    log=$(mktemp)
    echo
    echo "== $name"
    "$@" </dev/null 2>&1 | tee "$log"
    status=${PIPESTATUS[0]}
    times+=("$(printf '%4d s  %s' $((SECONDS - begun)) "$name")")
    echo "== $name: $((SECONDS - begun)) s"
    slowest "$log"
    count "$log" "$status" "$name"
    rm -f "$log"
}

# Of cargo's test programs, those that took three seconds or more.
slowest() {
    local seconds program
    while read -r seconds program; do
        ((seconds < 3)) || times+=("$(printf '%4d s  of these: %s' "$seconds" "$program")")
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
    if ((status != 0)); then
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
