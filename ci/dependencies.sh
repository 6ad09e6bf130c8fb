#!/usr/bin/env bash
# Checks the crates that the repository depends on: their licences, sources and versions, and the advisories about them, by
# cargo-deny and deny.toml; and that no crate lists one which it does not use, by cargo-machete. Both tools are built once, into
# `tools` of the target directory, unless they are installed.
#
# Usage: ci/dependencies.sh
set -euo pipefail
# shellcheck source=ci/common.bash
source "$(dirname "$0")/common.bash"

# The versions that deny.toml is written for.
tool cargo-deny 0.20
tool cargo-machete 0.9

announce cargo fetch --quiet --locked
announce cargo deny --workspace --offline check licenses bans sources
# Fetched from GitHub, or kept from the last time.
if announce cargo deny --workspace fetch db > /dev/null; then
    announce cargo deny --workspace check advisories
elif compgen -G "${CARGO_HOME:-$HOME/.cargo}/advisory-dbs/*/crates" > /dev/null; then
    announce cargo deny --workspace --offline check advisories
else
    echo
    echo "SKIPPED $check: the advisories alone: their database, https://github.com/RustSec/advisory-db, cannot be fetched"
    echo "    to make it run:  give access to github.com"
    echo "    it would run:    cargo deny check advisories"
    echo
fi
# What is published and what people copy. Tests use crates by way of the book, of macros and of files that others share, which this
# tool does not see.
announce cargo machete --with-metadata cli examples loaders polyplug polyplug-abi polyplug-macros xtask
echo "dependencies: nothing found"
