# Shared by the scripts in this folder: `source` it, it does nothing by itself.
#
# A script that cannot run calls `skip`. By hand that is a loud notice and no failure; on a build server (CI=true), where
# nobody reads notices, it is a failure, unless the script runs as one of many under `cargo xtask test --thorough`
# (POLYPLUG_THOROUGH=1), which repeats the notice in its report.

target_dir=${CARGO_TARGET_DIR:-}
if [[ -n $target_dir && $target_dir != /* ]]; then
    target_dir=$PWD/$target_dir
fi
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
target_dir=${target_dir:-$PWD/target}
check=$(basename "$0" .sh)

# skip REASON HOW-TO-GET-IT COMMAND...
skip() {
    local reason=$1 remedy=$2
    shift 2
    echo
    echo "SKIPPED $check: $reason"
    echo "    to make it run:  $remedy"
    echo "    it would run:    $*"
    echo
    if [[ ${CI:-} == true && ${POLYPLUG_THOROUGH:-} != 1 ]]; then
        exit 1
    fi
    exit 0
}

# Whether the nightly toolchain has the component $1 (a name without the platform, such as rust-src).
nightly_has() {
    case $1 in
        rust-src) [[ -d $(rustc +nightly --print sysroot)/lib/rustlib/src/rust/library ]] ;;
        miri) cargo +nightly miri --version > /dev/null 2>&1 ;;
    esac
}

# Skips unless there is a nightly toolchain with the components $2.. ; $1 is the command for the notice.
need_nightly() {
    local command=$1 component components
    shift
    components=$(IFS=,; echo "$*")
    # Looking for a toolchain must not install it.
    export RUSTUP_AUTO_INSTALL=0
    if ! rustc +nightly --version > /dev/null 2>&1; then
        skip "needs the nightly toolchain of rustup" \
            "rustup toolchain install nightly --profile minimal${components:+ --component $components}" "$command"
    fi
    for component in "$@"; do
        nightly_has "$component" || skip "needs the component $component of the nightly toolchain" \
            "rustup component add --toolchain nightly $*" "$command"
    done
}

# Skips unless this is a machine that the sanitizers work on here.
need_linux_x86_64() {
    if [[ $(uname -sm) != "Linux x86_64" ]]; then
        skip "needs Linux on x86_64, this is $(uname -sm)" "use such a machine" "$1"
    fi
}

# Chooses the Python that everything is built with, unless somebody has. Comes before what only the check builds with.
choose_python() {
    if [[ -z ${PYO3_PYTHON:-} ]]; then
        PYO3_PYTHON=$(CARGO_TARGET_DIR="$target_dir" cargo xtask python)
        export PYO3_PYTHON
    fi
}

# Builds the plugins that the tests load, with the command $@, which is `cargo build` with options. Each line that is listed
# is a build of its own, so that no package gets the features that another needs.
build_fixtures() {
    local listed lines line package command
    # Without the flags of the check: what only lists packages is the ordinary build of xtask.
    listed=$(env -u RUSTFLAGS -u RUSTC -u RUSTC_BOOTSTRAP CARGO_TARGET_DIR="$target_dir" cargo xtask fixtures --list)
    mapfile -t lines <<< "$listed"
    for line in "${lines[@]}"; do
        command=("$@")
        for package in $line; do
            command+=(--package "$package")
        done
        announce "${command[@]}"
    done
}

# Says that the tests of plugins in C# are left out, and why; $1 is the name of the sanitizer.
leave_out_dotnet() {
    echo
    echo "SKIPPED $check: the tests of plugins in C# alone: .NET's runtime, which compiles and handles faults, is not made for $1"
    echo "    to make them run:  cargo xtask test, without $1"
    echo
    export POLYPLUG_TESTS_WITHOUT=${POLYPLUG_TESTS_WITHOUT:+$POLYPLUG_TESTS_WITHOUT,}dotnet
}

# Builds the plugins that the tests load, and not the C library, with the compiler of `cargo xtask cross` and the options $@.
build_plugins() {
    local names name together=()
    # What only lists packages is the ordinary build of xtask.
    names=$(env -u RUSTC -u RUSTC_BOOTSTRAP CARGO_TARGET_DIR="$target_dir" cargo xtask fixtures --list)
    for name in $names; do
        case $name in
            polyplug-loaders) ;;
            # Has features of polyplug that the others must do without.
            plugin-logs) announce cargo build "$@" --package "$name" ;;
            *) together+=(--package "$name") ;;
        esac
    done
    announce cargo build "$@" "${together[@]}"
}

# Packages whose tests have nothing to do with memory or threads of the host: compiler messages (ui-tests), and xtask, which runs no
# plugin. The models of threads (polyplug-loom) have no memory of their own, take long, and do not compile as unit tests.
no_plugins=(--exclude ui-tests --exclude ui-tests-2021 --exclude xtask --exclude polyplug-loom --exclude polyplug-loom-epoch)

# Builds the cargo command $1, of a version compatible with $2, below the target directory, unless it is installed.
tool() {
    local name=$1 version=$2 folder=$target_dir/tools
    PATH=$folder/bin:$PATH
    if command -v "$name" > /dev/null; then
        return
    fi
    # Cargo marks a target directory that it makes itself.
    if [[ ! -d $target_dir ]]; then
        mkdir -p "$target_dir"
        echo "Signature: 8a477f597d28d172789f06886806bc55" > "$target_dir/CACHEDIR.TAG"
    fi
    local command=(cargo install "$name" --version "^$version" --locked --root "$folder")
    # A tool runs for a moment. Its own settings for a release take several times as long to compile.
    if ! CARGO_TARGET_DIR=$folder/build CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_LTO=off \
        CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 announce "${command[@]}"; then
        skip "needs $name, which could not be installed" "${command[*]}" "$name"
    fi
    rm -rf "$folder/build"
}

# Says what runs, and runs it.
announce() {
    printf '    $ %s\n' "$*" >&2
    "$@"
}
