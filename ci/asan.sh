#!/usr/bin/env bash
# AddressSanitizer over the test suites: use after free, use after unmapping, overflows, on both sides of a call.
#
# Usage: ci/asan.sh [arguments for the test runner, such as the name of a test]
set -euo pipefail
# shellcheck source=ci/common.bash
source "$(dirname "$0")/common.bash"

target=x86_64-unknown-linux-gnu

# A plugin has no sanitizer of its own but uses the host's, so host executables have to offer its functions.
flags="-Zsanitizer=address -Clink-arg=-Wl,--export-dynamic-symbol=__asan_*"

suites=(--workspace "${no_plugins[@]}" --target "$target" --no-fail-fast)

# The detector of uses after return keeps local variables away from the stack, so that the stack that is left is not known.
# Tests that nest calls or values deeply ask for that. They run without this detector, and on larger stacks, as each call takes
# more of it.
deep='binary(nested_calls) or (binary(conformance) and test(/^js::.*(nest|levels)/)) or test(=lua::depths)
    or test(=a_small_stack_of_the_thread_is_not_overrun)'

# The program in C and the Python of the host in Python are compiled without a sanitizer, and so have none that a library
# compiled with it could use.
foreign='test(the_host_in_c) or test(the_host_in_python)'

# With the calls of QuickJS this large, its own limit comes before that on nested calls, which this test is about.
frames='(binary(nested_calls) and test(=js))'

# These exchange the handler of signals or the stack that it runs on, which the sanitizer takes for its own.
handlers='test(=packages_give_the_same_in_a_bundle_as_in_a_program) or test(=a_hosts_own_handler_stays)
    or test(=clr::tests::stack::other_stacks_stay)'

runner=(cargo +nightly nextest run "${suites[@]}")
if ! cargo nextest --version > /dev/null 2>&1; then
    skip "needs cargo-nextest, which chooses the tests" "cargo install --locked cargo-nextest" "RUSTFLAGS='$flags' ${runner[*]}"
fi

need_linux_x86_64 "RUSTFLAGS='$flags' ${runner[*]}"
need_nightly "RUSTFLAGS='$flags' ${runner[*]}"

choose_python

# Apart from the ordinary build, which would be thrown away by other flags.
export CARGO_TARGET_DIR="$target_dir/asan"
export RUSTFLAGS="${RUSTFLAGS:+$RUSTFLAGS }$flags"

# Leaks are looked for elsewhere. The standard library of a plugin keeps its buffer for standard output in a static: once
# the plugin is unmapped nothing points to that buffer any more, and every plugin that printed would be reported.
# Where an allocation may fail, failing is tested: null as from the ordinary allocator, not the end of the process.
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=0:detect_stack_use_after_return=1:allocator_may_return_null=1}

# Python's own allocator would hide its objects.
export POLYPLUG_PLAIN_MALLOC=1

# The sanitizer keeps memory of its own, which tests of leaks would count.
export POLYPLUG_SANITIZED=1

leave_out_dotnet AddressSanitizer
build_fixtures cargo +nightly build --target "$target"
# A test that is named is in one of the two runs.
(($#)) && runner+=(--no-tests=pass)
status=0
announce "${runner[@]}" "$@" -E "not ($deep or $foreign or $handlers)" || status=$?
RUST_MIN_STACK=$((64 << 20)) ASAN_OPTIONS=$ASAN_OPTIONS:detect_stack_use_after_return=0 \
    announce "${runner[@]}" "$@" -E "($deep) and not $frames" || status=$?

cat << END

LEFT OUT of AddressSanitizer:
    Tests of a host in C and of one in Python: the programs are compiled without a sanitizer.
    Tests that exchange the handler of signals or its stack, and that of calls nested in JavaScript: see this script.
    The comparison of memory and mappings in tests of leaks, as the sanitizer keeps memory for itself.
END
exit "$status"
