#!/usr/bin/env bash
# How long a contract of a hundred methods and its plugin take to compile, beside plugins of small contracts. Their
# dependencies are compiled before, and nothing is reused from an earlier compile of themselves.
#
# Usage: ci/compile-time.sh [options for cargo build, such as --release]
set -euo pipefail
# shellcheck source=ci/common.bash
source "$(dirname "$0")/common.bash"

# Apart from the ordinary build, which reuses what it can.
export CARGO_TARGET_DIR="$target_dir/compile-time"
export CARGO_INCREMENTAL=0

# Seconds that compiling the package $1 takes again, the best of three; $2 is its source, the rest are cargo's options.
seconds() {
    local package=$1 source=$2 best='' start took
    shift 2
    cargo build --quiet --package "$package" "$@"
    for _ in 1 2 3; do
        touch "$source"
        start=$EPOCHREALTIME
        cargo build --quiet --package "$package" "$@"
        took=$(awk -v start="$start" -v end="$EPOCHREALTIME" 'BEGIN { printf "%.2f", end - start }')
        best=$(awk -v took="$took" -v best="${best:-$took}" 'BEGIN { print (took < best) ? took : best }')
    done
    echo "$best"
}

large=$(seconds plugin-hundred tests/plugins/hundred/src/lib.rs "$@")
small=$(seconds plugin-calc tests/plugins/calc/src/lib.rs "$@")
printf 'seconds to compile:\n'
printf '  %-52s %6s\n' 'contract of 100 methods and a plugin (plugin-hundred)' "$large"
printf '  %-52s %6s\n' 'two plugins of small contracts (plugin-calc)' "$small"
