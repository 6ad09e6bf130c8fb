//! The quickstart, carried out as written in an empty folder.

mod common;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use common::without::without;
use common::{checkout, target, without_flags};

/// The time in which a line has to come. The first comes after a build.
const PATIENCE: Duration = Duration::from_secs(600);

/// The blocks of the page: the language and the text of each.
fn blocks() -> Vec<(String, String)> {
    let page = fs::read_to_string(checkout().join("docs/src/quickstart.md")).unwrap();
    let parts = page.split("```").skip(1).step_by(2);
    parts
        .map(|part| part.split_once('\n').map(|(language, text)| (language.to_owned(), text.to_owned())).unwrap())
        .collect()
}

/// A reader of the page with an empty folder, in which there is a checkout.
struct Reader {
    folder: tempfile::TempDir,
}

impl Reader {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(checkout(), folder.path().join("polyplug")).unwrap();
        Self { folder }
    }

    fn path(&self, relative: &str) -> PathBuf {
        self.folder.path().join(relative)
    }

    fn shell(&self, text: &str) -> Command {
        let programs = Path::new(env!("CARGO_BIN_EXE_polyplug")).parent().unwrap();
        let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
        let mut command = Command::new("bash");
        command.args(["-euc", text]).current_dir(self.folder.path()).env("PATH", path);
        command.env("CARGO_TARGET_DIR", target()).env("NO_COLOR", "1");
        without_flags(&mut command);
        command
    }

    #[track_caller]
    fn run(&self, text: &str) {
        let output = self.shell(text).output().unwrap();
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{text}\n{said}");
    }

    /// Starts a command that does not end.
    fn start(&self, text: &str) -> Running {
        // One group, so that what the shell starts ends with it.
        let mut command = self.shell(text);
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = channel();
        let out = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || out.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Running { child, lines }
    }
}

/// A command that runs beside the reader.
struct Running {
    child: Child,
    lines: Receiver<String>,
}

impl Running {
    /// Waits for a line.
    #[track_caller]
    fn prints(&self, expected: &str) {
        let (end, mut seen) = (Instant::now() + PATIENCE, Vec::new());
        while let Ok(line) = self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
            if line == expected {
                return;
            }
            seen.push(line);
        }
        panic!("the line `{expected}` does not come:\n{}", seen.join("\n"));
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-9", "--", &format!("-{}", self.child.id())]).status();
        let _ = self.child.wait();
    }
}

/// Returns the last line of a block.
fn last(block: &str) -> &str {
    block.lines().last().unwrap()
}

#[test]
fn it_works_as_written() {
    let all = blocks();
    let languages: Vec<_> = all.iter().map(|(language, _)| language.as_str()).collect();
    assert_eq!(languages, ["sh", "sh", "sh", "text", "sh", "text", "sh", "text", "sh", "text", "sh"]);
    let texts: Vec<_> = all.iter().map(|(_, text)| text.as_str()).collect();
    let [install, contract, script, answers, change, answers_new, compiled, built, change_compiled, built_new, tests] =
        texts.as_slice()
    else {
        panic!("eleven blocks")
    };
    assert_eq!(install.trim(), "cargo install --locked --path polyplug/cli", "which these tests were built by");
    let commands = |text: &str| text.trim().lines().filter(|line| !line.starts_with("(cd")).count();
    assert!(1 + commands(contract) + commands(script) < 5, "a plugin is there after less than five commands");

    let reader = Reader::new();
    reader.run(contract);
    // The same versions of other crates as here, which are at hand.
    for made in ["greeter", "app"] {
        fs::copy(checkout().join("Cargo.lock"), reader.path(made).join("Cargo.lock")).unwrap();
    }
    let (new, run) = script.trim().split_once('\n').unwrap();
    reader.run(new);
    let host = reader.start(run);
    host.prints(last(answers));
    reader.run(change);
    host.prints(last(answers_new));
    reader.run(tests.lines().nth(1).unwrap());
    let bad = reader.shell(tests.lines().next().unwrap()).output().unwrap();
    assert_eq!(bad.status.code(), Some(1), "the test finds that the answer has changed");

    for (language, file) in [("python", "main.py"), ("js", "main.js")] {
        let name = format!("in-{language}");
        reader.run(
            &new.replace("--lang lua", &format!("--lang {language}"))
                .replace("plugins/hello", &format!("plugins/{name}")),
        );
        reader.run(&tests.replace("hello", &name));
        host.prints(&last(answers).replace("hello", &name));
        reader.run(
            &change.replace("of hello", &format!("of {name}")).replace("hello/main.lua", &format!("{name}/{file}")),
        );
        host.prints(&last(answers_new).replace("hello", &name));
    }

    let (new, build) = compiled.trim().split_once('\n').unwrap();
    reader.run(new);
    fs::copy(checkout().join("Cargo.lock"), reader.path("compiled/Cargo.lock")).unwrap();
    let builds = reader.start(build);
    host.prints(last(built));
    reader.run(change_compiled);
    host.prints(last(built_new));
    drop(builds);

    reader.run(&new.replace("--lang rust", "--lang c").replace("compiled", "in-c"));
    let _builds = reader.start(&build.replace("compiled", "in-c"));
    host.prints("in-c: \"greet of in-c\"");
    reader.run("sed -i 's/greet of in-c/Good evening/' in-c/plugin.c");
    host.prints("in-c: \"Good evening\"");

    if without("npm") {
        return;
    }
    reader.run(&new.replace("--lang rust", "--lang ts").replace("compiled", "in-ts"));
    reader.run("cd in-ts && npm install --no-audit --no-fund");
    let _builds = reader.start(&build.replace("compiled", "in-ts"));
    host.prints("in-ts: \"greet of in-ts\"");
    reader.run("sed -i 's/greet of in-ts/Good evening/' in-ts/src/main.ts");
    host.prints("in-ts: \"Good evening\"");
}
