#!/usr/bin/env bash
# ThreadSanitizer over the test suites: data races between calls, reloads and unloads.
#
# The standard library is built along (it needs the component rust-src): uninstrumented, its atomics would be reported.
#
# Usage: ci/tsan.sh [arguments for the test runner, such as the name of a test]
set -euo pipefail
# shellcheck source=ci/common.bash
source "$(dirname "$0")/common.bash"

target=x86_64-unknown-linux-gnu

# A plugin has no sanitizer of its own but uses the host's, so host executables have to offer its functions.
flags="-Zsanitizer=thread -Clink-arg=-Wl,--export-dynamic-symbol=__tsan_*"

# Compiler messages (ui-tests) and benchmarks start no threads; xtask runs no plugin.
suites=(--workspace --exclude ui-tests --exclude ui-tests-2021 --exclude xtask -Zbuild-std --target "$target" --no-fail-fast)

if cargo nextest --version > /dev/null 2>&1; then
    runner=(cargo +nightly nextest run "${suites[@]}")
else
    runner=(cargo +nightly test --tests "${suites[@]}")
fi

need_linux_x86_64 "RUSTFLAGS='$flags' ${runner[*]}"
need_nightly "RUSTFLAGS='$flags' ${runner[*]}" rust-src

choose_python

# Apart from the ordinary build, which would be thrown away by other flags.
export CARGO_TARGET_DIR="$target_dir/tsan"
export RUSTFLAGS="${RUSTFLAGS:+$RUSTFLAGS }$flags"
export TSAN_OPTIONS=${TSAN_OPTIONS:-halt_on_error=1:second_deadlock_stack=1}

build_fixtures "$target" -Zbuild-std
# The program in C is compiled without a sanitizer, and so has none that a library compiled with it could use.
announce "${runner[@]}" "$@" -- --skip the_host_in_c
