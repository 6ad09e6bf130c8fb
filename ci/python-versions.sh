#!/usr/bin/env bash
# Compiles the Python loader for every version of Python that it supports, and for free-threaded builds. No Python of
# that version is needed: what PyO3 would ask it is in a file here.
#
# Then runs the tests of the loader with each of these versions that is installed with a shared library: as `python3.N` on the
# path, by pyenv or by uv.
#
# Usage: ci/python-versions.sh [version..], such as 3.9 3.14t
set -euo pipefail
# shellcheck source=ci/common.bash
source "$(dirname "$0")/common.bash"

(($#)) || set -- 3.9 3.10 3.11 3.12 3.13 3.14 3.14t 3.15

# Apart from the ordinary build, most of which another Python would throw away.
export CARGO_TARGET_DIR=$target_dir/python-versions
inherited=${LD_LIBRARY_PATH:-}

config=$(mktemp)
trap 'rm -f "$config"' EXIT
for version in "$@"; do
    abi=gil_enabled
    [[ $version == *t ]] && abi=free_threaded
    cat > "$config" << END
implementation=CPython
version=${version%t}
target_abi=CPython-$abi-${version%t}
shared=true
lib_name=python$version
suppress_build_script_link_lines=true
END
    echo "==> Python $version"
    PYO3_CONFIG_FILE=$config cargo clippy --quiet -p polyplug-python -- -D warnings
done

# Prints the program of the Python $1 whose library can be linked with, if there is one.
installed() {
    local candidate
    for candidate in "$(command -v "python$1" || true)" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$1".*/bin/python3 \
        "${UV_PYTHON_INSTALL_DIR:-$HOME/.local/share/uv/python}"/cpython-"$1".*/bin/python3; do
        # pyenv's launcher on the path fails for a version that is not chosen.
        if [[ -x $candidate ]] && "$candidate" --version > /dev/null 2>&1 \
            && CARGO_TARGET_DIR=$target_dir PYO3_PYTHON=$candidate cargo xtask python > /dev/null 2>&1; then
            "$candidate" -c 'import sys; print(sys.executable)'
            return
        fi
    done
}

# Those that load plugins in Python, without the tests that read the sources or the book.
suites=(nextest run --workspace --no-fail-fast --test 'python_*' --test conformance --test growth_languages --test workers)
filter='binary(/^python_/) or test(python)'
if ! cargo nextest --version > /dev/null 2>&1; then
    skip "the tests need cargo-nextest, which chooses them" "cargo install --locked cargo-nextest" \
        "cargo ${suites[*]} -E '$filter'"
fi

# Bundles in Python and in C# call each other.
if [[ ,${POLYPLUG_TESTS_WITHOUT:-}, != *,dotnet,* ]]; then
    CARGO_TARGET_DIR=$target_dir announce cargo xtask dotnet --guests
fi

run=() missing=() status=0
for version in "$@"; do
    python=$(installed "$version")
    if [[ -z $python ]]; then
        missing+=("$version")
        continue
    fi
    run+=("$version")
    echo "==> The tests with Python $version, $python"
    export PYO3_PYTHON=$python
    folder=$("$python" -c 'import sysconfig; print(sysconfig.get_config_var("LIBDIR"))')
    export LD_LIBRARY_PATH=$folder${inherited:+:$inherited}
    build_fixtures cargo build
    announce cargo "${suites[@]}" -E "$filter" || status=1
    # Apart from the rest, as the loader has fewer features when it is built by itself.
    announce cargo nextest run --no-fail-fast --package polyplug-python || status=1
done
if ((${#missing[@]})); then
    echo
    echo "SKIPPED $check: the tests with Python ${missing[*]} alone, which is not installed with a shared library"
    echo "    to make them run:  uv python install ${missing[*]}"
    echo
fi
echo "python-versions: compiled for $*; tests run with ${run[*]:-none}"
exit "$status"
