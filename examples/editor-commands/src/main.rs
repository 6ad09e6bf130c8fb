//! A text tool for the terminal: reads a file, and carries out the commands that are typed. Commands are plugins.
//!
//! Usage: editor-commands [FILE [PLUGINS]]

use std::env::args;
use std::fs;
use std::io::{self, BufRead, IsTerminal, Write};
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use editor_contract::{Command, Outcome};
use polyplug::{EventKind, Runtime};
use polyplug_js::JsLoader;
use polyplug_lua::LuaLoader;
use polyplug_native::NativeLoader;
use polyplug_python::PythonLoader;

const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/sample.txt");
const PLUGINS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/plugins");

fn main() -> Result<()> {
    let file = args().nth(1).unwrap_or_else(|| SAMPLE.to_owned());
    let folder = args().nth(2).unwrap_or_else(|| PLUGINS.to_owned());
    let runtime = Runtime::builder()
        .loader(JsLoader::new())
        .loader(LuaLoader::new())
        .loader(NativeLoader::new())
        .loader(PythonLoader::new())
        .hot_reload(true)
        .build()?;
    let watcher = runtime.watch_dir(&folder)?;
    if let Some(report) = watcher.report()
        && !report.problems.is_empty()
    {
        // The other commands are there.
        println!("{report}");
    }

    let text = fs::read_to_string(&file).with_context(|| format!("cannot read {file}"))?;
    let mut editor = Editor { runtime, text, earlier: Vec::new() };
    // Declared after the runtime, so that its end is not printed.
    let _events = editor.runtime.on_event(|event| match event.kind {
        EventKind::Loaded | EventKind::Reloaded(_) | EventKind::Unloaded(_) | EventKind::Failed(_) => {
            println!("{event}")
        }
        _ => {}
    });
    print!("{}", editor.text);
    println!("`help` lists the commands");
    let is_typed = io::stdin().is_terminal();
    let mut lines = io::stdin().lock().lines();
    loop {
        if is_typed {
            print!("> ");
            io::stdout().flush()?;
        }
        let Some(line) = lines.next().transpose()? else { return Ok(()) };
        if line.trim() == "quit" {
            return Ok(());
        }
        match editor.execute(line.trim()) {
            Ok(shown) => println!("{}", shown.trim_end()),
            Err(error) => println!("error: {error:#}"),
        }
    }
}

/// The text, and what changes it.
struct Editor {
    runtime: Arc<Runtime>,
    text: String,
    /// The earlier texts, the latest last.
    earlier: Vec<String>,
}

impl Editor {
    /// Carries out a line. Returns what is shown.
    fn execute(&mut self, line: &str) -> Result<String> {
        let (name, argument) = line.split_once(' ').unwrap_or((line, ""));
        match name {
            "" => {}
            "help" => return Ok(self.help()),
            "undo" => self.text = self.earlier.pop().context("there is nothing to undo")?,
            "write" => fs::write(argument, &self.text).with_context(|| format!("cannot write `{argument}`"))?,
            name => match self.run(name, argument)? {
                Outcome::Text(text) => self.earlier.push(std::mem::replace(&mut self.text, text)),
                Outcome::Message(message) => return Ok(message),
            },
        }
        Ok(self.text.clone())
    }

    /// Calls a plugin.
    fn run(&self, name: &str, argument: &str) -> Result<Outcome> {
        // Looked up for each line, because plugins come and go. A call can fail, and a command can refuse.
        let command = self.runtime.proxy_from::<dyn Command>(name)?;
        command.run(&self.text, argument.trim())?.map_err(|refusal| anyhow!("{name}: {refusal}"))
    }

    /// Returns the commands, each with what it says of itself.
    fn help(&self) -> String {
        let mut names: Vec<_> = self.runtime.bundles().into_iter().map(|bundle| bundle.name).collect();
        names.sort();
        let mut help = String::new();
        for name in names {
            let line = self.runtime.proxy_from::<dyn Command>(&*name).map_err(anyhow::Error::from);
            match line.and_then(|command| Ok(command.help()?)) {
                Ok(line) => help += &format!("{line}\n"),
                Err(error) => help += &format!("{name}: {error}\n"),
            }
        }
        help + "undo: takes the last change back\nwrite FILE: writes the text\nquit: ends"
    }
}
