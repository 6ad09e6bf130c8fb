#!/usr/bin/env bash
# Compiles the Python loader for every version of Python that it supports, and for free-threaded builds. No Python of
# that version is needed: what PyO3 would ask it is in a file here.
#
# Usage: ci/python-versions.sh [version..], such as 3.9 3.14t
source "$(dirname "${BASH_SOURCE[0]}")/common.bash"
set -euo pipefail

(($#)) || set -- 3.9 3.10 3.11 3.12 3.13 3.14 3.14t 3.15

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
    PYO3_CONFIG_FILE=$config CARGO_TARGET_DIR=$target_dir/python-versions cargo clippy --quiet -p polyplug-python -- -D warnings
done
