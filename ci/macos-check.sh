#!/usr/bin/env bash
# The compiler's check of the framework for macOS, on arm64 and on x86-64: libraries, loaders, plugins, and the code of
# the tests. Nothing is linked, and nothing runs: docs/src/platforms.md says what that leaves open.
#
# LuaJIT and QuickJS are compiled by the C compiler of Zig, which has macOS's headers: a package of PyPI, 80 MB, once for a
# target directory.
#
# Usage: ci/macos-check.sh [target..], such as aarch64-apple-darwin
set -euo pipefail
# shellcheck source=ci/common.bash
source "$(dirname "$0")/common.bash"

targets=("$@")
(($#)) || targets=(aarch64-apple-darwin x86_64-apple-darwin)

zig_version=0.13.0.post1
zig_sha256=5ff0f2cb0d583b4f94820909612043f62e4d1d9a8bed77ceec088a01fc2ef015

# Debian's compiler has no library for these targets, so the library is built along. A warning is an error.
check=(cargo check "-Zbuild-std=std,panic_unwind" -Zwarnings --config 'build.warnings="deny"' --keep-going)
# What compiles no C, and its tests.
rust=(--package polyplug-abi --package polyplug --package polyplug-native --package polyplug-dotnet --package polyplug-python)
# Not what compares messages of the compiler, models threads, or builds the others.
all=(--workspace --exclude ui-tests --exclude ui-tests-2021 --exclude polyplug-loom --exclude xtask --all-targets)

need_linux_x86_64 "${check[*]} ${all[*]}"
exports=$(CARGO_TARGET_DIR="$target_dir" cargo xtask cross "${targets[@]}")
eval "$exports"
# Apart from the ordinary build, which is another compiler's.
export CARGO_TARGET_DIR="$target_dir/macos"
mkdir -p "$CARGO_TARGET_DIR"

# The Python for which the loader is compiled, as PyO3 would ask it: there is none for macOS here.
export PYO3_CONFIG_FILE="$CARGO_TARGET_DIR/python.txt"
cat > "$PYO3_CONFIG_FILE" << END
implementation=CPython
version=3.13
target_abi=CPython-gil_enabled-3.13
shared=true
lib_name=python3.13
suppress_build_script_link_lines=true
END

# Downloads Zig, unless it is there. Fails where Python's venv or PyPI cannot be had.
has_zig() {
    local folder="$CARGO_TARGET_DIR/zig-$zig_version"
    zig="$folder/ziglang/zig"
    [[ -x $zig ]] && return
    rm -rf "$folder.new" && mkdir -p "$folder.new" || return
    echo "ziglang==$zig_version --hash=sha256:$zig_sha256" > "$folder.new/requirements.txt"
    python3 -m venv "$folder.new/venv" \
        && "$folder.new/venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps \
            --only-binary :all: --target "$folder.new" --requirement "$folder.new/requirements.txt" \
        && mv "$folder.new" "$folder"
}

# Lets build scripts compile C for the target $1, which Zig calls $2.
use_zig() {
    local target=$1 variable=${1//-/_} compiler="$CARGO_TARGET_DIR/$1-cc" archiver="$CARGO_TARGET_DIR/zig-ar"
    printf '#!/bin/sh\nexec "%s" cc -target %s "$@"\n' "$zig" "$2" > "$compiler"
    printf '#!/bin/sh\nexec "%s" ar "$@"\n' "$zig" > "$archiver"
    chmod +x "$compiler" "$archiver"
    export "CC_$variable=$compiler" "AR_$variable=$archiver"
    # Zig's names of targets are not those of clang, which would be passed otherwise.
    export CRATE_CC_NO_DEFAULTS=1
    # LuaJIT's build: its library is made, and its program is not.
    export TARGET_SYS=Darwin TARGET_AR="$archiver rcus" TARGET_LD=true TARGET_STRIP=true
}

left_out=()
has_zig || left_out+=(
    "Lua and JavaScript: their engines are in C, for which Zig $zig_version of PyPI is needed. To have it: apt-get install python3-venv"
    "the code of the tests and of the example, which use all loaders")

for target in "${targets[@]}"; do
    # A plugin's half of polyplug, and then everything.
    announce "${check[@]}" --target "$target" --package polyplug --no-default-features
    if ((${#left_out[@]})); then
        announce "${check[@]}" --target "$target" "${rust[@]}" --all-features
    else
        use_zig "$target" "${target%%-*}-macos"
        announce "${check[@]}" --target "$target" "${all[@]}"
        # The features of a plugin and of a host by themselves, which the rest of the workspace has together.
        announce "${check[@]}" --target "$target" --package polyplug --all-features
    fi
done

echo
echo "LEFT OUT for macOS:"
echo "    linking and running: there is no linker with the system's frameworks here, and no Mac"
for each in "${left_out[@]}"; do
    echo "    $each"
done
if ((${#left_out[@]})) && [[ ${CI:-} == true ]]; then
    exit 1
fi
