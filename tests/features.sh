#!/usr/bin/env bash
# Each feature of oauth-runtime alone, and none: that it compiles without a warning, its unit tests too. The unit tests run
# without any feature; `tests/run.sh` runs them with all.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

features=$(cargo metadata --no-deps --format-version 1 --locked | python3 -c '
import json, sys
package, = [it for it in json.load(sys.stdin)["packages"] if it["name"] == "oauth-runtime"]
print(*package["features"])')
for feature in $features; do
    echo "== $feature"
    cargo clippy --quiet -p oauth-runtime --lib --tests --features "$feature" -- -D warnings
done
echo "== none"
cargo clippy --quiet -p oauth-runtime --lib --tests -- -D warnings
cargo test --quiet -p oauth-runtime --lib
