#!/usr/bin/env bash
# Checks the crates that the repository depends on: their licences, sources and versions, and the advisories about them, by
# cargo-deny and deny.toml; and that none is listed which is not used, by cargo-machete. Both tools are built once, into `tools`
# of the target directory, unless they are installed.
#
# Usage: ci/dependencies.sh
set -euo pipefail
# shellcheck source=ci/common.bash
source "$(dirname "$0")/common.bash"

# The versions that deny.toml is written for.
tool cargo-deny 0.18
tool cargo-machete 0.9

announce cargo deny --workspace --offline check licenses bans sources
# Fetched from GitHub, or kept from the last time.
if announce cargo deny --workspace fetch db > /dev/null; then
    announce cargo deny --workspace check advisories
elif [[ -d ${CARGO_HOME:-$HOME/.cargo}/advisory-dbs ]]; then
    announce cargo deny --workspace check --disable-fetch advisories
else
    echo
    echo "SKIPPED $check: the advisories alone: their database, https://github.com/RustSec/advisory-db, cannot be fetched"
    echo "    to make it run:  give access to github.com"
    echo "    it would run:    cargo deny check advisories"
    echo
fi
announce cargo machete --with-metadata
echo "dependencies: nothing found"
