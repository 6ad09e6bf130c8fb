#!/usr/bin/env bash
# Fuzzing what reads bytes and memory that somebody else wrote: the targets in fuzz/, from the inputs in fuzz/seeds and from
# where the last run left off (fuzz/corpus). FUZZ_SECONDS says for how long each: a minute by default, and 20 seconds under
# `cargo xtask test --thorough`. An input that fails is kept in fuzz/artifacts, and runs again with `ci/fuzz.sh TARGET FILE`.
#
# The targets are laid out for cargo-fuzz, which is not needed here.
#
# Usage: ci/fuzz.sh [TARGET [arguments for libFuzzer, such as an input]]
set -euo pipefail
# shellcheck source=ci/common.bash
source "$(dirname "$0")/common.bash"

host=x86_64-unknown-linux-gnu
usual_seconds=60
if [[ ${POLYPLUG_THOROUGH:-} == 1 ]]; then
    usual_seconds=20
fi
seconds=${FUZZ_SECONDS:-$usual_seconds}
# What cargo-fuzz passes.
flags="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters"
flags+=" -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing"
flags+=" -Zsanitizer=address -Ccodegen-units=1"
builder=(cargo +nightly build --release --manifest-path fuzz/Cargo.toml --target "$host")
if [[ ${1:-cli} == cli ]]; then
    builder+=(--features cli)
fi

need_linux_x86_64 "RUSTFLAGS='$flags' ${builder[*]}"
need_nightly "RUSTFLAGS='$flags' ${builder[*]}"
if ! echo 'int main() {}' | c++ -x c++ -fsyntax-only - 2> /dev/null; then
    skip "libFuzzer is compiled with a C++ compiler" "apt-get install g++" "RUSTFLAGS='$flags' ${builder[*]}"
fi

# Apart from the ordinary build. The sanitizer finds no leaks here: arenas and collectors keep what they have.
export CARGO_TARGET_DIR="$target_dir/fuzz"
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=0:allocator_may_return_null=1}
RUSTFLAGS="${RUSTFLAGS:+$RUSTFLAGS }$flags" announce "${builder[@]}"

targets=(schema values adapters state manifest packs signatures json cli)
if (($#)); then
    targets=("$1")
    shift
fi
for target in "${targets[@]}"; do
    mkdir -p "fuzz/corpus/$target" "fuzz/artifacts/$target"
    command=("$CARGO_TARGET_DIR/$host/release/$target" "-artifact_prefix=$PWD/fuzz/artifacts/$target/")
    if (($#)); then
        announce "${command[@]}" "$@"
    else
        corpora=("$PWD/fuzz/corpus/$target")
        if [[ -d fuzz/seeds/$target ]]; then
            corpora+=("$PWD/fuzz/seeds/$target")
        fi
        if [[ $target == cli ]]; then
            command+=(-close_fd_mask=3) # what commands print
        fi
        # Long inputs from the start: short ones make schemas that have next to nothing.
        announce "${command[@]}" -max_total_time="$seconds" -max_len=2048 -len_control=0 -timeout=10 -verbosity=0 \
            -print_final_stats=1 "${corpora[@]}"
    fi
done
echo "fuzzed ${targets[*]}: nothing found"
