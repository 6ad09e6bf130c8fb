#!/usr/bin/env bash
# ThreadSanitizer over the test suites: data races between calls, reloads and unloads.
#
# The standard library is built along: uninstrumented, its atomics would be reported. Its source comes with the component
# rust-src of the nightly toolchain, or else from Debian's packages by `cargo xtask cross`.
#
# Usage: ci/tsan.sh [--whole] [arguments for the test runner, such as the name of a test]
#
# By default the unit tests run, and the suites in which more than one thread is at work. --whole runs all suites, which
# takes hours. With an argument `--test SUITE` only that suite runs.
set -euo pipefail
# shellcheck source=ci/common.bash
source "$(dirname "$0")/common.bash"

target=x86_64-unknown-linux-gnu
export RUSTUP_AUTO_INSTALL=0

# A plugin has no sanitizer of its own but uses the host's, so host executables have to offer its functions.
flags="-Zsanitizer=thread -Clink-arg=-Wl,--export-dynamic-symbol=__tsan_*"

need_linux_x86_64 "$0"
choose_python
if rustc +nightly --version > /dev/null 2>&1 && nightly_has rust-src; then
    cargo=(cargo +nightly)
elif tools=$(CARGO_TARGET_DIR="$target_dir" cargo xtask cross thread-sanitizer); then
    eval "$tools"
    cargo=(cargo)
    # This compiler comes without the sanitizer's runtime, and clang has it.
    clang=("$POLYPLUG_CROSS_ROOT"/usr/bin/clang-[0-9]*)
    flags+=" -Zexternal-clangrt -Clinker=$(basename "${clang[0]}") -Clink-arg=-fsanitize=thread"
    flags+=" -Cunsafe-allow-abi-mismatch=sanitizer"
    # The runtime does not find it on the path.
    symbolizer=("$POLYPLUG_CROSS_ROOT"/usr/lib/llvm-[0-9]*/bin/llvm-symbolizer)
    options=:external_symbolizer_path=${symbolizer[0]}
else
    skip "needs the source of the standard library" "rustup component add --toolchain nightly rust-src" "$0 $*"
fi
build=(-Zbuild-std=std,panic_unwind --target "$target")

# Bundles of each loader that are called by several threads, or loaded, reloaded, unloaded and watched meanwhile.
threaded=(
    bad_loader callbacks changes_from_within choosing conformance dependents engine events host_bridge host_contracts
    js_hostile lua_bridge lua_calls lua_limits migrating native_calls native_instances nested_calls on_unload panics peers
    places plugin_logs plugin_threads python_cycles python_host_lock python_limits python_shared_state python_shutdown
    python_teardown reload reload_events reload_faults same_bundle_twice settling soak store storm stress unloading
    unmapping vm_dispatch watch watch_dir workers
)
whole=0
chosen=()
arguments=()
for argument in "$@"; do
    case $argument in
        --whole) whole=1 ;;
        --test | --test=* | --lib | --bins | --tests) chosen=(named) ;&
        *) arguments+=("$argument") ;;
    esac
done
if ((whole)) || ((${#chosen[@]})); then
    chosen=()
else
    chosen=(--lib)
    for suite in "${threaded[@]}"; do
        chosen+=(--test "$suite")
    done
fi

suites=("${build[@]}" --workspace "${no_plugins[@]}" "${chosen[@]}")
if cargo nextest --version > /dev/null 2>&1; then
    runner=("${cargo[@]}" nextest run "${suites[@]}" --no-fail-fast)
else
    ((whole)) && suites+=(--tests)
    runner=("${cargo[@]}" test "${suites[@]}" --no-fail-fast)
fi

# Apart from the ordinary build, which would be thrown away by other flags.
export CARGO_TARGET_DIR="$target_dir/tsan"
export RUSTFLAGS="${RUSTFLAGS:+$RUSTFLAGS }$flags"
options=halt_on_error=1:second_deadlock_stack=1:allocator_may_return_null=1:suppressions=$PWD/ci/tsan.supp${options:-}
export TSAN_OPTIONS=${TSAN_OPTIONS:-$options}

# The sanitizer keeps memory of its own, which tests of leaks would count.
export POLYPLUG_SANITIZED=1

leave_out_dotnet ThreadSanitizer
build_fixtures "${cargo[@]}" build "${build[@]}"
# The program in C and the Python of the host in Python are compiled without a sanitizer, and so have none that a library
# compiled with it could use.
announce "${runner[@]}" "${arguments[@]}" -- --skip the_host_in_c --skip the_host_in_python

if ((${#chosen[@]})); then
    cat << END

LEFT OUT of ThreadSanitizer, as one thread at a time is at work in them: suites that are not named in this script, such as
    those of the schema, of values, of what is refused while a bundle is loaded, and of examples in the documentation.
    To make them run:  $0 --whole
END
fi
