#!/usr/bin/env bash
# The models of tests/loom, further than the ordinary tests take them: with more preemptions, and then with crossbeam's
# own collector in place of the one in tests/loom/epoch. A model that is not through after two minutes stops and says so.
#
# LOOM_MAX_PREEMPTIONS and LOOM_MAX_DURATION (in seconds, for each model) go further still.
#
# Usage: ci/loom.sh [arguments for the test runner, such as the name of a model]
set -euo pipefail
# shellcheck source=ci/common.bash
source "$(dirname "$0")/common.bash"

if cargo nextest --version > /dev/null 2>&1; then
    runner=(cargo nextest run --package polyplug-loom --test models --no-fail-fast --success-output immediate)
else
    runner=(cargo test --package polyplug-loom --test models --no-fail-fast)
fi

export LOOM_MAX_DURATION=${LOOM_MAX_DURATION:-120}
# How often loom looks at the clock, in executions.
export LOOM_CHECKPOINT_INTERVAL=1000

LOOM_MAX_PREEMPTIONS=${LOOM_MAX_PREEMPTIONS:-4} announce "${runner[@]}" "$@"

# Apart from the ordinary build, which would be thrown away by other flags.
export CARGO_TARGET_DIR="$target_dir/loom"
export RUSTFLAGS="${RUSTFLAGS:+$RUSTFLAGS }--cfg crossbeam_loom"

LOOM_MAX_PREEMPTIONS=${LOOM_MAX_PREEMPTIONS:-2} announce "${runner[@]}" --features crossbeam "$@"
