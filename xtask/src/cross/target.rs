//! The targets: the packages that each needs beside the compiler, and the variables that select their tools.

use std::path::Path;

use clap::ValueEnum;

use super::group::{Group, Replacement};

/// Something to compile for that rustup's toolchains need not have.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Target {
    #[value(name = "x86_64-pc-windows-gnu", help = "Windows, with the compilers of MinGW and with Wine")]
    Windows,
    #[value(name = "aarch64-unknown-linux-gnu", help = "Linux on arm64, with the compilers of GNU and with QEMU")]
    LinuxArm,
    #[value(name = "aarch64-apple-darwin", help = "macOS on arm64, for `cargo check` alone")]
    MacArm,
    #[value(name = "x86_64-apple-darwin", help = "macOS on x86-64, for `cargo check` alone")]
    MacIntel,
    #[value(name = "thread-sanitizer", help = "this machine, with the runtime of ThreadSanitizer")]
    ThreadSanitizer,
}

impl Target {
    /// Returns what the target needs beside the compiler, whose LLVM has the major version `llvm`.
    pub(super) fn group(self, llvm: u32) -> Option<Group> {
        let group = |name, packages: &[&str], tools: &[&str], places| {
            Some(Group {
                name,
                packages: packages.iter().map(|&each| each.to_owned()).collect(),
                tools: tools.iter().map(|&each| each.to_owned()).collect(),
                places,
            })
        };
        match self {
            Self::Windows => group(
                "windows",
                &[
                    "gcc-mingw-w64-x86-64-posix",
                    "g++-mingw-w64-x86-64-posix",
                    "gcc-mingw-w64-x86-64-posix-runtime",
                    "mingw-w64-x86-64-dev",
                    "binutils-mingw-w64-x86-64",
                    "wine64",
                    "libwine",
                ],
                &[
                    "usr/bin/x86_64-w64-mingw32-gcc-posix",
                    "usr/bin/x86_64-w64-mingw32-g++-posix",
                    "usr/bin/x86_64-w64-mingw32-ar",
                    "usr/lib/wine/wine64",
                ],
                &[Replacement { file: "usr/lib/wine/wineserver", from: "=/usr/lib/wine/", to: "=$(dirname \"$0\")/" }],
            ),
            Self::LinuxArm => group(
                "linux-arm64",
                &[
                    "gcc-aarch64-linux-gnu",
                    "g++-aarch64-linux-gnu",
                    "libc6-dev-arm64-cross",
                    "libc6-arm64-cross",
                    "qemu-user",
                ],
                &[
                    "usr/bin/aarch64-linux-gnu-gcc",
                    "usr/bin/aarch64-linux-gnu-g++",
                    "usr/bin/aarch64-linux-gnu-ar",
                    "usr/bin/qemu-aarch64",
                ],
                // The linker looks for a file without a folder where it found the script.
                &[Replacement {
                    file: "usr/aarch64-linux-gnu/lib/libc.so",
                    from: "/usr/aarch64-linux-gnu/lib/",
                    to: "",
                }],
            ),
            Self::MacArm | Self::MacIntel => None,
            Self::ThreadSanitizer => group(
                "thread-sanitizer",
                &[
                    &format!("clang-{llvm}"),
                    &format!("libclang-common-{llvm}-dev"),
                    &format!("libclang-rt-{llvm}-dev"),
                    &format!("llvm-{llvm}"),
                ],
                &[&format!("usr/bin/clang-{llvm}"), &format!("usr/lib/llvm-{llvm}/bin/llvm-symbolizer")],
                &[],
            ),
        }
    }

    /// Returns the variables that select the target's tools in the folder `place`, which has the unpacked `root`.
    pub(super) fn variables(self, place: &Path, root: &Path) -> Vec<(String, String)> {
        match self {
            Self::Windows => {
                let mut variables = tools("x86_64-pc-windows-gnu", "x86_64-w64-mingw32-", "-posix");
                variables.extend([
                    ("WINEPREFIX".to_owned(), place.join("wine").display().to_string()),
                    ("WINEDEBUG".to_owned(), "-all".to_owned()),
                ]);
                variables
            }
            Self::LinuxArm => {
                let mut variables = tools("aarch64-unknown-linux-gnu", "aarch64-linux-gnu-", "");
                let runner = format!("qemu-aarch64 -L {}", root.join("usr/aarch64-linux-gnu").display());
                variables.push(("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER".to_owned(), runner));
                variables
            }
            Self::MacArm | Self::MacIntel | Self::ThreadSanitizer => Vec::new(),
        }
    }
}

/// Returns the variables that make cargo, and build scripts that compile C and C++, use the GNU tools for `triple`.
fn tools(triple: &str, prefix: &str, suffix: &str) -> Vec<(String, String)> {
    let triple = triple.replace('-', "_");
    let compiler = format!("{prefix}gcc{suffix}");
    vec![
        (format!("CARGO_TARGET_{}_LINKER", triple.to_uppercase()), compiler.clone()),
        (format!("CC_{triple}"), compiler),
        (format!("CXX_{triple}"), format!("{prefix}g++{suffix}")),
        (format!("AR_{triple}"), format!("{prefix}ar")),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(target: Target, name: &str) -> Option<String> {
        let variables = target.variables(Path::new("/p"), Path::new("/p/root"));
        variables.into_iter().find(|(each, _)| each == name).map(|(_, value)| value)
    }

    #[test]
    fn the_tools_of_a_target_are_named_after_its_triple() {
        let linker = value(Target::Windows, "CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER");
        assert_eq!(linker.as_deref(), Some("x86_64-w64-mingw32-gcc-posix"));
        assert_eq!(value(Target::Windows, "AR_x86_64_pc_windows_gnu").as_deref(), Some("x86_64-w64-mingw32-ar"));
        assert_eq!(value(Target::LinuxArm, "CC_aarch64_unknown_linux_gnu").as_deref(), Some("aarch64-linux-gnu-gcc"));
        let runner = value(Target::LinuxArm, "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER");
        assert_eq!(runner.as_deref(), Some("qemu-aarch64 -L /p/root/usr/aarch64-linux-gnu"));
    }

    #[test]
    fn clang_has_the_version_of_the_compilers_llvm() {
        let group = Target::ThreadSanitizer.group(23).unwrap();
        assert!(group.packages.contains(&"libclang-rt-23-dev".to_owned()), "{:?}", group.packages);
        assert!(group.tools.contains(&"usr/bin/clang-23".to_owned()), "{:?}", group.tools);
    }

    #[test]
    fn a_target_is_chosen_by_its_triple() {
        for target in Target::value_variants() {
            let name = target.to_possible_value().unwrap().get_name().to_owned();
            assert_eq!(Target::from_str(&name, false), Ok(*target));
        }
        assert!(Target::from_str("windows", false).is_err());
        assert!(Target::MacArm.group(22).is_none());
    }
}
