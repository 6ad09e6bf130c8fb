#!/usr/bin/env bash
# Valgrind's memcheck over the stress tests at small size: reads of uninitialised memory, use after free, leaks, in code as
# it is shipped. AddressSanitizer (ci/asan.sh) sees more of the stack, and nothing of what is uninitialised or leaks.
#
# Races are ThreadSanitizer's (ci/tsan.sh). Valgrind's helgrind and drd cannot find them here: the locks of Rust's standard
# library are futexes that are inlined where they are used, so neither sees that anything is locked at all. Everything that
# a lock protects is reported as a race, with our own functions on top, and to suppress that is to suppress real ones.
#
# Usage: ci/memcheck.sh [arguments for the test harness, such as the name of a test]
set -euo pipefail
# shellcheck source=ci/common.bash
source "$(dirname "$0")/common.bash"

export POLYPLUG_SOAK=${POLYPLUG_SOAK:-0.05}
# Fair, or threads that only call keep the one that reloads waiting.
valgrind=(valgrind --quiet --error-exitcode=99 --fair-sched=yes --leak-check=full --show-leak-kinds=definite
    --errors-for-leak-kinds=definite --num-callers=30)
runner=(cargo test --package polyplug-tests --test stress --test reload)

need_linux_x86_64 "${runner[*]}"
if ! command -v valgrind > /dev/null; then
    skip "needs valgrind" "apt-get install valgrind" "${valgrind[*]} .. ${runner[*]}"
fi

choose_python
export CARGO_TARGET_DIR=$target_dir
announce cargo xtask fixtures
export CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER=${valgrind[*]}
announce "${runner[@]}" -- --test-threads=1 "$@"
