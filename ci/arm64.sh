#!/usr/bin/env bash
# The framework on Linux on arm64: built by a cross compiler, its test suites run by QEMU.
#
# QEMU runs on a processor that keeps more memory accesses in order than one for arm64. So this finds faults of code
# generation, alignment and layout; tests/loom is for faults of memory order. docs/src/platforms.md says what was seen.
#
# Usage: ci/arm64.sh [--short] [arguments for the test runner, such as the name of a test]
#
# --short builds and runs only the unit tests of the core and the suites of native plugins.
set -euo pipefail
# shellcheck source=ci/common.bash
source "$(dirname "$0")/common.bash"

target=aarch64-unknown-linux-gnu
# Debian's compiler has no library for this target, so the library is built along.
options=("-Zbuild-std=std,panic_unwind" --target "$target")

# The packages with unit tests, and the suites of tests/, that a short run has.
packages=(polyplug polyplug-abi polyplug-native)
suites=(
    bad_artifact bad_init bad_manifest bad_registration c_plugin capabilities dependencies engine events load_check load_dir
    native_calls native_instances panics plugin_threads reload settling types unloading unmapping vm_dispatch
)
arguments=()
short=0
for argument in "$@"; do
    if [[ $argument == --short ]]; then short=1; else arguments+=("$argument"); fi
done
if ((!short)); then
    packages+=(polyplug-js polyplug-lua)
    # All that need no Python, but: what starts cargo, or programs in C; what loads C#; what needs tools
    # of this machine; what reads sources; what is for Windows.
    mapfile -t suites < <(awk 'BEGIN { RS = "" } /^\[\[test\]\]/ && !/required-features = \["python"\]/' tests/Cargo.toml \
        | sed -n 's/^name = "\(.*\)"/\1/p' \
        | grep -v -x -E 'replacing|watch_build|panic_abort|c_header|c_host|dotnet_.*|js_typescript|lua_libraries|layers|windows')
fi
chosen=(--lib)
for suite in "${suites[@]}"; do
    chosen+=(--test "$suite")
done

# Without its default features, the package of the tests does without the loader for Python; the core's are named.
features=polyplug/host,polyplug/config,polyplug/json,polyplug/packs,polyplug/signatures,polyplug/watch
selected=(--no-default-features --features "$features" --package polyplug-tests)
for package in "${packages[@]}"; do
    selected+=(--package "$package")
done

# QEMU reads the code that it translates, and so runs libraries of a disk that is mounted without programs.
of_qemu='test(=a_disk_for_temporary_files_without_programs)'

if cargo nextest --version > /dev/null 2>&1; then
    runner=(cargo nextest run --no-fail-fast "${options[@]}" "${selected[@]}" "${chosen[@]}" -E "not $of_qemu")
else
    runner=(cargo test --no-fail-fast "${options[@]}" "${selected[@]}" "${chosen[@]}")
fi

need_linux_x86_64 "${runner[*]}"
exports=$(CARGO_TARGET_DIR="$target_dir" cargo xtask cross "$target")
eval "$exports"

# Apart from the ordinary build, which is another compiler's.
export CARGO_TARGET_DIR="$target_dir/arm64"
# The compiler of tests that compile C.
export CC=aarch64-linux-gnu-gcc CXX=aarch64-linux-gnu-g++ HOST_CC=cc
# What starts the programs that tests start in turn: the system cannot run them by itself.
export POLYPLUG_TESTS_RUNNER=$CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER
# What is not here is named, and not looked for by the tests.
export POLYPLUG_TESTS_WITHOUT=${POLYPLUG_TESTS_WITHOUT:-browser,dotnet,lua-libraries,npm,valgrind,venv}

# A tenth of the rounds of long tests: QEMU translates what it runs.
export POLYPLUG_SOAK=${POLYPLUG_SOAK:-0.1}

build_plugins "${options[@]}"
if ((!short)); then
    # The C library, without the loader that is linked with a Python.
    announce cargo build "${options[@]}" --package polyplug-loaders --no-default-features --features js,lua,native
fi
announce "${runner[@]}" "${arguments[@]}"

cat << END

LEFT OUT on Linux on arm64:
    Python: there is no library of Python for arm64 here. Suites that need it: required-features = ["python"] in
        tests/Cargo.toml.
    .NET: there is no .NET for arm64 here. The loader is not built.
    Suites that start cargo or programs in C: see this script.
    The test of a disk that is mounted without programs, which QEMU does not heed.
$( ((short)) && echo "    Lua, JavaScript, and suites that are not named in this script: run it without --short.")
END
