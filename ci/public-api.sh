#!/usr/bin/env bash
# Compares the public items of the published crates with ci/public-api, a file for each crate, so that no change of them goes
# unnoticed. After an intended change: `ci/public-api.sh --write`, and read the difference.
#
# Usage: ci/public-api.sh [--write]
set -euo pipefail
# shellcheck source=ci/common.bash
source "$(dirname "$0")/common.bash"

crates=(polyplug-abi polyplug polyplug-macros polyplug-native polyplug-lua polyplug-python polyplug-js polyplug-dotnet
    polyplug-loaders)
need_nightly "cargo +nightly public-api"
# Reads what the nightly compiler writes about a crate, whose form changes: the two fit each other.
tool cargo-public-api 0.52
choose_python

changed=()
for crate in "${crates[@]}"; do
    file=ci/public-api/$crate.txt
    # What all traits that are implemented automatically add says nothing.
    command=(cargo +nightly public-api --package "$crate" --all-features --simplified --simplified --simplified)
    printf '    $ %s\n' "${command[*]}" >&2
    CARGO_TARGET_DIR="$target_dir/public-api" "${command[@]}" > "$target_dir/public-api.txt"
    if [[ ${1:-} == --write ]]; then
        mkdir -p ci/public-api
        cp "$target_dir/public-api.txt" "$file"
    elif ! diff --unified=0 "$file" "$target_dir/public-api.txt"; then
        changed+=("$crate")
    fi
done
if ((${#changed[@]})); then
    echo "the public items of ${changed[*]} have changed: ci/public-api.sh --write, CHANGELOG.md, and docs/src/stability.md says" \
        "which version comes next" >&2
    exit 1
fi
echo "public-api: ${#crates[@]} crates are as they were recorded"
