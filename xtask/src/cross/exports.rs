//! The lines for a shell that select the compiler and the tools: `eval "$(cargo xtask cross TARGET)"`.

use std::path::Path;

use super::compiler::Compiler;
use super::target::Target;

/// Returns the lines, for a compiler and tools below `place`.
pub(super) fn lines(place: &Path, compiler: &Compiler, targets: &[Target]) -> Vec<String> {
    let root = &compiler.root;
    let text = |path: &Path| path.display().to_string();
    let programs = ["usr/bin".to_owned(), format!("usr/lib/llvm-{}/bin", compiler.llvm), "usr/lib/wine".to_owned()];
    let mut lines = vec![
        // Cargo, which runs this, has changed both, so the shell uses its own.
        prepend("PATH", &programs.map(|folder| text(&root.join(folder))).join(":")),
        prepend("LD_LIBRARY_PATH", &text(&compiler.libraries)),
        export("RUSTC", &text(&compiler.rustc)),
        // The library's source is built by `-Zbuild-std`.
        export("RUSTC_BOOTSTRAP", "1"),
        export("POLYPLUG_CROSS_ROOT", &text(root)),
    ];
    for target in targets {
        lines.extend(target.variables(place, root).iter().map(|(name, value)| export(name, value)));
    }
    lines
}

fn export(name: &str, value: &str) -> String {
    format!("export {name}={}", quoted(value))
}

/// Returns the line that puts `value` in front of what the variable has.
fn prepend(name: &str, value: &str) -> String {
    format!("export {name}={}\"${{{name}:+:${name}}}\"", quoted(value))
}

fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    fn printed_by_a_shell(lines: &[String], name: &str) -> String {
        let script = format!("{}\nprintf %s \"${name}\"", lines.join("\n"));
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(script).env("PATH", "/bin:/usr/bin").env_remove("LD_LIBRARY_PATH");
        String::from_utf8(shell.output().unwrap().stdout).unwrap()
    }

    #[test]
    #[cfg(unix)]
    fn a_shell_reads_the_lines() {
        let root = Path::new("/it's a/root");
        let compiler =
            Compiler { root: root.into(), rustc: root.join("usr/bin/rustc"), libraries: root.join("lib"), llvm: 22 };
        let lines = lines(Path::new("/it's a"), &compiler, &[Target::Windows]);
        assert_eq!(printed_by_a_shell(&lines, "RUSTC"), "/it's a/root/usr/bin/rustc");
        assert_eq!(printed_by_a_shell(&lines, "LD_LIBRARY_PATH"), "/it's a/root/lib");
        assert_eq!(printed_by_a_shell(&lines, "WINEPREFIX"), "/it's a/wine");
        let path = printed_by_a_shell(&lines, "PATH");
        let folders =
            ["usr/bin", "usr/lib/llvm-22/bin", "usr/lib/wine"].map(|folder| format!("/it's a/root/{folder}:"));
        assert_eq!(path, folders.concat() + "/bin:/usr/bin");
    }
}
