//! The session of the README, and plugins that are edited, break, fail, come and go while the tool runs.

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// The time in which a line has to come.
const PATIENCE: Duration = Duration::from_secs(60);

fn source(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A copy of the plugins.
struct Plugins(tempfile::TempDir);

impl Plugins {
    fn new() -> Self {
        let plugins = Self(tempfile::tempdir().unwrap());
        for (name, main) in [("sort", "main.lua"), ("title", "main.py"), ("count", "main.js")] {
            plugins.copy(name, "manifest.toml");
            plugins.copy(name, main);
        }
        plugins.copy("wrap", "manifest.toml");
        let library = format!("{DLL_PREFIX}editor_wrap{DLL_SUFFIX}");
        let built = Path::new(env!("CARGO_BIN_EXE_editor-commands")).with_file_name(&library);
        let target = plugins.path("wrap").join("target/debug");
        fs::create_dir_all(&target).unwrap();
        fs::copy(&built, target.join(&library))
            .unwrap_or_else(|error| panic!("{}: {error}: run `cargo xtask fixtures`", built.display()));
        plugins
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn copy(&self, name: &str, file: &str) {
        fs::create_dir_all(self.path(name)).unwrap();
        fs::copy(source("plugins").join(name).join(file), self.path(name).join(file)).unwrap();
    }

    /// Changes a file, which has this text once.
    fn edit(&self, file: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.path(file)).unwrap();
        assert_eq!(text.matches(from).count(), 1, "{from} in:\n{text}");
        fs::write(self.path(file), text.replace(from, to)).unwrap();
    }
}

/// The tool while it runs.
struct Tool {
    child: Child,
    input: ChildStdin,
    lines: Receiver<String>,
}

impl Tool {
    fn start(plugins: &Plugins) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_editor-commands"));
        command.arg(source("sample.txt")).arg(plugins.0.path()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (sender, lines) = channel();
        let out = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || out.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Self { input: child.stdin.take().unwrap(), child, lines }
    }

    /// Starts the tool and waits until it reads commands.
    fn ready(plugins: &Plugins) -> Self {
        let tool = Self::start(plugins);
        tool.says("`help` lists the commands");
        tool
    }

    fn types(&mut self, line: &str) {
        writeln!(self.input, "{line}").unwrap();
    }

    /// Waits for a line that has these words, and returns it.
    #[track_caller]
    fn says(&self, words: &str) -> String {
        let (end, mut seen) = (Instant::now() + PATIENCE, Vec::new());
        while let Ok(line) = self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
            if line.contains(words) {
                return line;
            }
            seen.push(line);
        }
        panic!("no line has `{words}`:\n{}", seen.join("\n"));
    }

    /// Types a command, and checks the next lines.
    #[track_caller]
    fn answers(&mut self, line: &str, expected: &[&str]) {
        self.types(line);
        let answered: Vec<_> =
            expected.iter().map(|_| self.lines.recv_timeout(PATIENCE).expect("an answer to each command")).collect();
        assert_eq!(answered, expected, "{line}");
    }
}

impl Drop for Tool {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_session_is_as_the_readme_shows_it() {
    let readme = fs::read_to_string(source("README.md")).unwrap();
    let session = readme.split("```text\n").nth(1).unwrap().split("```").next().unwrap();
    let plugins = Plugins::new();
    let mut tool = Tool::start(&plugins);
    let (typed, shown): (Vec<_>, Vec<_>) = session.lines().partition(|line| line.starts_with("> "));
    assert_eq!(typed.len(), 9);
    typed.iter().for_each(|line| tool.types(&line[2..]));
    let answered: Vec<_> = tool.lines.iter().collect();
    assert_eq!(answered, shown);
    assert!(tool.child.wait().unwrap().success());
}

#[test]
fn a_command_is_edited_while_the_tool_runs() {
    let plugins = Plugins::new();
    let mut tool = Tool::ready(&plugins);
    tool.answers("sort", &["jumps over", "the lazy dog", "the quick brown fox"]);

    plugins.edit("sort/main.lua", "table.sort(lines)", "table.sort(lines, function(a, b) return a > b end)");
    tool.says("reloaded");
    tool.answers("sort", &["the quick brown fox", "the lazy dog", "jumps over"]);

    // What cannot be loaded changes nothing.
    plugins.edit("sort/main.lua", "local lines = {}", "local lines = {");
    let line = tool.says("could not be reloaded, and the old version serves on");
    assert!(line.contains("sort/main.lua:"), "{line}");
    tool.answers("undo", &["jumps over", "the lazy dog", "the quick brown fox"]);
    tool.answers("sort", &["the quick brown fox", "the lazy dog", "jumps over"]);

    // What fails when it runs is an error of the call.
    plugins.edit("sort/main.lua", "local lines = {", "local lines = nil");
    tool.says("reloaded");
    tool.types("sort");
    let line = tool.says("error: bundle `sort`");
    assert!(line.contains("main.lua:"), "{line}");
    tool.types("count");
    tool.says("3 lines, 9 words, 44 characters");
}

#[test]
fn commands_come_and_go_while_the_tool_runs() {
    let plugins = Plugins::new();
    let title = plugins.path("title");
    let away = plugins.0.path().join("../").join(format!("{}-title", plugins.0.path().file_name().unwrap().display()));
    fs::rename(&title, &away).unwrap();
    let mut tool = Tool::ready(&plugins);
    tool.types("title");
    tool.says("error: no bundle `title` is loaded");

    fs::rename(&away, &title).unwrap();
    tool.says("loaded from");
    tool.answers("title", &["The Quick Brown Fox", "Jumps Over", "The Lazy Dog"]);

    fs::remove_dir_all(&title).unwrap();
    tool.says("unloaded");
    tool.types("title");
    tool.says("error: no bundle `title` is loaded");
}

#[test]
fn a_plugin_that_is_not_built_is_named_and_the_others_work() {
    let plugins = Plugins::new();
    fs::remove_dir_all(plugins.path("wrap/target")).unwrap();
    let mut tool = Tool::start(&plugins);
    tool.says("editor_wrap");
    tool.says("`help` lists the commands");
    tool.answers("count", &["3 lines, 9 words, 44 characters"]);
    tool.types("wrap 20");
    tool.says("error: no bundle `wrap` is loaded");
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let output = Command::new(env!("CARGO_BIN_EXE_editor-commands")).arg("nowhere.txt").output().unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("cannot read nowhere.txt"), "{said}");
}
