#!/usr/bin/env bash
# Requests a second of each row under load, beside those of a bare handler in an App of its own in the same round.
# The server has the first core to itself and wrk the second.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."

rounds=${ROUNDS:-7}
seconds=${SECONDS_EACH:-3}
connections=${CONNECTIONS:-16}
# Another App than `alone` is what `bare` has: see tests/benches/README.md.
rows=(alone bare hit before miss hand grants)

main() {
    (($(nproc) >= 2)) || missing "a second core: server and load generator would share one"
    need_command wrk wrk
    need_command taskset util-linux
    command -v cargo >/dev/null || missing "cargo: install a Rust toolchain with rustup"
    cargo build --release --quiet -p oauth-tests-costs

    work=$(mktemp -d)
    start_server
    # A first round warms up and is not counted.
    for row in "${rows[@]}"; do load "$row" 1 >/dev/null; done
    local round row
    for ((round = 1; round <= rounds; round++)); do
        for row in "${rows[@]}"; do echo "$round $row $(load "$row" "$seconds")"; done
    done | tee "$work/rates"
    report
}

start_server() {
    # The server ends when its input does, and so with this script.
    exec {input}<> <(:)
    taskset -c 0 "${CARGO_TARGET_DIR:-target}/release/load" <&"$input" >"$work/server" &
    server=$!
    trap 'kill "$server" 2>/dev/null; rm -rf "$work"' EXIT
    local tries
    for ((tries = 0; tries < 100; tries++)); do
        grep -q '^ready$' "$work/server" && return
        sleep 0.1
    done
    echo "the server did not start" >&2
    exit 1
}

# Loads a row for so many seconds; prints requests a second. An answer other than 200 ends the script.
load() {
    local row=$1 time=$2 name url authorization
    read -r name url authorization < <(grep "^$row " "$work/server")
    [[ -n $name ]]
    taskset -c 1 wrk -t1 -c"$connections" -d"${time}s" -H "Authorization: $authorization" "$url" >"$work/wrk"
    if grep -qE 'Non-2xx|Socket errors' "$work/wrk"; then
        cat "$work/wrk" >&2
        return 1
    fi
    awk '/^Requests\/sec:/ { print $2 }' "$work/wrk"
}

# The median of a row's ratios, each to the run of `alone` in its own round.
report() {
    local row
    echo
    printf '%-8s %14s %16s %8s %8s\n' row "requests/s" "ratio to alone" lowest highest
    for row in "${rows[@]}"; do
        printf '%-8s %14.0f %16.3f %8.3f %8.3f\n' "$row" \
            "$(awk -v row="$row" '$2 == row { print $3 }' "$work/rates" | median)" \
            "$(ratios "$row" | median)" "$(ratios "$row" | sort -g | head -n1)" "$(ratios "$row" | sort -g | tail -n1)"
    done
}

ratios() {
    awk -v row="$1" '$2 == "alone" { alone = $3 } $2 == row { print $3 / alone }' "$work/rates"
}

median() {
    sort -g | awk '{ all[NR] = $1 } END { print NR % 2 ? all[(NR + 1) / 2] : (all[NR / 2] + all[NR / 2 + 1]) / 2 }'
}

# A command, and the Debian package that has it.
need_command() {
    command -v "$1" >/dev/null && return
    if command -v apt-get >/dev/null; then
        local as_root=()
        ((EUID == 0)) || as_root=(sudo -n)
        echo "installing $2"
        "${as_root[@]}" apt-get install -y -qq --no-install-recommends "$2" </dev/null >/dev/null || true
    fi
    command -v "$1" >/dev/null || missing "$1: install the package $2"
}

missing() {
    echo "missing and not installed: $1" >&2
    exit 1
}

main "$@"
