#!/usr/bin/env bash
# Miri over the unit tests of the crates whose unsafe code stays inside one process image: undefined behaviour, aliasing,
# leaks. Miri cannot load a library, so whatever loads a plugin is left to ci/asan.sh.
#
# Usage: ci/miri.sh [arguments for the test harness, such as the name of a test]
set -euo pipefail
# shellcheck source=ci/common.bash
source "$(dirname "$0")/common.bash"

# crossbeam-epoch tags pointers by way of integers; its collector keeps garbage that is never freed at exit.
flags=${MIRIFLAGS:--Zmiri-permissive-provenance -Zmiri-ignore-leaks}
runner=(cargo +nightly miri test --package polyplug-abi --package polyplug --lib)

need_nightly "MIRIFLAGS='$flags' ${runner[*]}" miri rust-src

export MIRIFLAGS=$flags
# Apart from the ordinary build.
export CARGO_TARGET_DIR="$target_dir/miri"

announce "${runner[@]}" -- "$@"
