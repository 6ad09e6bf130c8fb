#!/usr/bin/env bash
# The framework on Windows: built by mingw for x86_64-pc-windows-gnu, its test suites run by Wine.
#
# Wine is not Windows. It is near enough for files in use, libraries, paths and the watcher; docs/src/platforms.md says
# what else was seen where.
#
# Usage: ci/windows.sh [--short] [arguments for the test runner, such as the name of a test]
#
# --short builds and runs only the unit tests of the core and the suites of native plugins.
set -euo pipefail
# shellcheck source=ci/common.bash
source "$(dirname "$0")/common.bash"

target=x86_64-pc-windows-gnu
# Debian's compiler has no library for this target, so the library is built along.
options=(-Zbuild-std=std,panic_unwind --target "$target")

# The packages with unit tests, and the suites of tests/, that a short run has.
packages=(polyplug polyplug-abi polyplug-native)
suites=(
    windows bad_artifact bad_manifest capabilities choosing debug_texts dependents events load_check
    load_dir native_calls native_instances no_copy panics plugin_logs plugin_threads reload reload_events
    same_bundle_twice settings settling signatures unloading watch watch_dir
)
arguments=()
short=0
for argument in "$@"; do
    if [[ $argument == --short ]]; then short=1; else arguments+=("$argument"); fi
done
chosen=()
if ((short)); then
    for suite in "${suites[@]}"; do
        chosen+=(--test "$suite")
    done
    chosen+=(--lib)
else
    packages+=(polyplug-js polyplug-lua)
    chosen+=(--lib --tests)
fi

# Features of the core that its unit tests need. Without its default features, the package of the tests does without the
# loader for Python.
features=polyplug/host,polyplug/config,polyplug/json,polyplug/packs,polyplug/signatures,polyplug/watch
selected=(--no-default-features --features "$features" --package polyplug-tests)
for package in "${packages[@]}"; do
    selected+=(--package "$package")
done

# Tests that run a compiler or cargo, which a program of Windows cannot start here, and the one that reads sources.
running='binary(bad_init) or binary(bad_registration) or binary(bad_results) or binary(dependencies) or binary(panic_abort)
    or binary(rust_version) or binary(watch_build) or binary(layers) or test(by_hand)
    or test(=docs::abi::its_c_is_that_of_the_header) or test(of_many_threads_that_load_a_bad_bundle_all_fail)'

# Tests that Wine 8 cannot pass, and Windows can: see the list at the end of this script.
of_wine='test(=a_bundle_that_is_removed_may_stay_loaded) or test(=a_folder_that_is_copied_and_then_removed_is_followed)
    or test(=a_folder_that_is_replaced_is_reloaded) or test(=the_whole_folder_may_be_removed_and_made_anew)
    or test(=two_bundles_of_a_name_wait_for_the_removal_of_one) or test(=paths_may_be_long)'

if cargo nextest --version > /dev/null 2>&1; then
    runner=(cargo nextest run --no-fail-fast "${options[@]}" "${selected[@]}" "${chosen[@]}" -E "not ($running or $of_wine)")
else
    runner=(cargo test --no-fail-fast "${options[@]}" "${selected[@]}" "${chosen[@]}")
fi

need_linux_x86_64 "${runner[*]}"
if ! exports=$(CARGO_TARGET_DIR="$target_dir" cargo xtask cross "$target"); then
    skip "needs a compiler for $target" "cargo xtask cross $target" "${runner[*]}"
fi
eval "$exports"

# Apart from the ordinary build, which is another compiler's.
export CARGO_TARGET_DIR="$target_dir/windows"
export WINEPREFIX="$target_dir/windows/wine"
export WINEDEBUG=-all
export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER="$POLYPLUG_CROSS_ROOT/usr/lib/wine/wine64"
wine=$CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER
wineserver="$POLYPLUG_CROSS_ROOT/usr/lib/wine/wineserver64"

# Makes Wine's drive C, and starts its server, which ends with this script.
set_up_wine() {
    local system32="$WINEPREFIX/drive_c/windows/system32"
    mkdir -p "$system32"
    # Debian's Wine looks for this library where the package that has it would have installed it.
    cp "$POLYPLUG_CROSS_ROOT/usr/x86_64-w64-mingw32/lib/zlib1.dll" "$system32"
    "$wineserver" --persistent < /dev/null > /dev/null 2>&1
    trap '"$wineserver" --kill || true' EXIT
    # Starts Wine's services. A test that started them would leave its output to them, and nobody would see its end.
    announce "$wine" wineboot --init < /dev/null > /dev/null 2>&1
    if [[ ! -e $system32/bcryptprimitives.dll ]]; then
        announce x86_64-w64-mingw32-gcc-posix -shared -O1 -Wall -Wextra -Werror ci/windows/bcryptprimitives.c -ladvapi32 \
            -o "$system32/bcryptprimitives.dll"
    fi
    # The share that Windows has of each drive.
    mkdir -p "$WINEPREFIX/dosdevices/unc/localhost"
    ln -sfn ../../../drive_c "$WINEPREFIX/dosdevices/unc/localhost/c\$"
}

# What is not here is named, and not looked for by the tests.
export POLYPLUG_TESTS_WITHOUT=${POLYPLUG_TESTS_WITHOUT:-browser,c++,dotnet,lua-libraries,npm,valgrind,venv}

# Threads that call without a pause leave Wine's server little time for the files that a reload copies.
export POLYPLUG_SOAK=${POLYPLUG_SOAK:-0.1}

# Tests that compare with snapshots would ask cargo where the workspace is.
export INSTA_WORKSPACE_ROOT=$PWD

set_up_wine
build_plugins "${options[@]}"
if ((!short)); then
    # The C library, without the loader that is linked with a Python.
    announce cargo build "${options[@]}" --package polyplug-loaders --no-default-features --features dotnet,js,lua,native
fi
status=0
announce "${runner[@]}" "${arguments[@]}" || status=$?
if ((!short)); then
    # No Python for Windows can be linked with here, so the loader is only checked. A version has to be named.
    PYO3_CROSS_PYTHON_VERSION=3.13 announce cargo check "${options[@]}" --package polyplug-python --package polyplug-dotnet || status=$?
fi

cat << END

LEFT OUT on Windows:
    Python: the loader was $( ((short)) && echo "not looked at" || echo "checked by the compiler, and run by no test"), as there
        is no Python for Windows here. Suites that need it: required-features = ["python"] in tests/Cargo.toml.
    .NET: the loader was $( ((short)) && echo "not looked at" || echo "checked by the compiler, and run by no test"), as there
        is no .NET for Windows here.
    Suites that run a compiler or cargo: c_header, c_host, bad_init, bad_registration, bad_results, dependencies,
        panic_abort, rust_version, watch_build, and the tests of the pages by-hand.md and abi.md. So is layers, which reads sources.
    Five tests in which a folder is removed and its name is taken again, or given up, while the folder is watched. In Wine 8
        a folder that is removed keeps its name until the watch of it ends, and the watch is not told.
    The test of paths longer than 260 letters: in Wine 8 GetFinalPathNameByHandleW has no room for them.
    Suites that begin with #![cfg(unix)] or #![cfg(target_os = "linux")]: see their first lines.
END
exit "$status"
