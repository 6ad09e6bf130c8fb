//! `polyplug repl`.

use anyhow::{Result, anyhow, bail};
use polyplug::schema::Schema;
use rustyline::error::ReadlineError;
use rustyline::history::MemHistory;
use rustyline::{Config, Editor};

use super::call::{arguments, contract};
use crate::args::Repl;
use crate::bundle::{DataFolder, Opened};
use crate::complete::Completer;
use crate::contracts;
use crate::exit::Exit;
use crate::text::{BOLD, DIM, error, indented, styled};

const HELP: &str = "METHOD ARGS..            calls a method: arguments as JSON, a text may be without its quotes
CONTRACT METHOD ARGS..   if several contracts have the method
:methods                 lists the methods
:reload                  loads the bundle anew
:help                    prints this
:quit, Ctrl-D            ends";

pub(crate) fn run(args: &Repl) -> Result<Exit> {
    let contracts = contracts::read_all(&args.needs.contracts)?;
    let data = DataFolder::new(args.data.data.as_deref())?;
    let load = || Opened::load(&args.bundle, &args.needs.with, &contracts, Some(data.path()));
    let mut opened = load()?;
    let config = Config::builder().auto_add_history(true).build();
    let mut editor: Editor<Completer, MemHistory> = Editor::with_history(config, MemHistory::new())?;
    editor.set_helper(Some(Completer::new(words(&opened))));
    anstream::eprintln!("{} {}: `:help` lists what can be written", opened.info.name, opened.info.version);
    loop {
        let line = match editor.readline("> ") {
            Ok(line) => line,
            Err(ReadlineError::Interrupted) => continue,
            Err(ReadlineError::Eof) => return Ok(Exit::Fine),
            Err(failure) => return Err(failure.into()),
        };
        match line.trim() {
            "" => {}
            ":quit" | ":q" => return Ok(Exit::Fine),
            ":help" | ":h" => anstream::println!("{HELP}"),
            ":methods" => methods(&opened),
            ":reload" => match load() {
                Ok(anew) => {
                    opened = anew;
                    editor.set_helper(Some(Completer::new(words(&opened))));
                    anstream::println!("{} {} is loaded", opened.info.name, opened.info.version);
                }
                Err(failure) => anstream::println!("{}", error(&format!("{failure:#}"))),
            },
            command if command.starts_with(':') => {
                anstream::println!("{}", error(&format!("there is no `{command}`: `:help` lists what there is")));
            }
            call => match answer(&opened, call) {
                Ok(text) => anstream::println!("{text}"),
                Err(failure) => anstream::println!("{}", error(&format!("{failure:#}"))),
            },
        }
    }
}

/// Carries out a call, and returns its result as JSON.
fn answer(opened: &Opened, line: &str) -> Result<String> {
    let words = split(line)?;
    let (first, rest) = words.split_first().ok_or_else(|| anyhow!("nothing to call"))?;
    let known = known(opened);
    let providers: Vec<_> = known.iter().filter(|schema| schema.method(first).is_some()).collect();
    let (contract, method, given) = match (providers.as_slice(), rest.split_first()) {
        ([schema], _) => (contracts::key(schema), first, rest),
        ([], Some((method, rest))) if first.contains('.') => (contract(opened, first)?, method, rest),
        ([], _) => {
            let names = known.iter().flat_map(|schema| &schema.methods).map(|method| method.name.as_str());
            bail!("there is no method `{first}`, only {}", names.collect::<Vec<_>>().join(", "))
        }
        (several, _) => {
            let names: Vec<_> = several.iter().map(|schema| contracts::key(schema)).collect();
            bail!("several contracts have `{first}`: write the contract before it: {}", names.join(", "))
        }
    };
    let proxy = opened.runtime.dynamic_from(&contract, opened.info.id)?;
    Ok(proxy.call_json(method, &arguments(&proxy, method, given)?)?.to_string())
}

fn known(opened: &Opened) -> Vec<Schema> {
    opened.contracts().into_iter().flatten().collect()
}

/// Returns the words that can be completed.
fn words(opened: &Opened) -> Vec<String> {
    let mut words: Vec<_> = [":methods", ":reload", ":help", ":quit"].map(str::to_owned).into();
    for schema in known(opened) {
        words.extend(schema.methods.iter().map(|method| method.name.clone()));
        words.push(contracts::key(&schema));
    }
    words.sort();
    words.dedup();
    words
}

fn methods(opened: &Opened) {
    for contract in opened.contracts() {
        match contract {
            Ok(schema) => {
                anstream::println!("{}", styled(BOLD, &schema.to_string()));
                for method in &schema.methods {
                    anstream::println!("  {}", schema.signature(method));
                    anstream::print!("{}", styled(DIM, &indented(&method.docs, 6)));
                }
            }
            Err(failure) => anstream::println!("{}", error(&failure.to_string())),
        }
    }
}

/// Splits a line into words: at spaces that are not within a text, a list or an object of JSON.
fn split(line: &str) -> Result<Vec<String>> {
    let (mut words, mut word) = (Vec::new(), String::new());
    let (mut depth, mut is_text, mut is_escaped) = (0u32, false, false);
    for letter in line.chars() {
        if is_text {
            is_text = is_escaped || letter != '"';
            is_escaped = letter == '\\' && !is_escaped;
        } else {
            match letter {
                '"' => is_text = true,
                '[' | '{' => depth += 1,
                ']' | '}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if letter.is_whitespace() && depth == 0 {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                continue;
            }
        }
        word.push(letter);
    }
    if is_text || depth > 0 {
        bail!("a text, a list or an object does not end: {word}");
    }
    if !word.is_empty() {
        words.push(word);
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_split_into_words_of_json() {
        let split = |line: &str| split(line).unwrap();
        assert_eq!(split("greet Ada"), ["greet", "Ada"]);
        assert_eq!(
            split(r#"greet "Ada  L\" x"  [1, 2] {"a": [ 3 ]}"#),
            ["greet", r#""Ada  L\" x""#, "[1, 2]", r#"{"a": [ 3 ]}"#]
        );
        assert_eq!(split("  "), Vec::<String>::new());
        assert!(super::split("greet \"Ada").is_err());
        assert!(super::split("all [1").is_err());
    }
}
