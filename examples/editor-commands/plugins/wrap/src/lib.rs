//! Breaks lines that are too long.

use editor_contract::{Command, Outcome};

#[derive(Default)]
struct Wrap;

#[polyplug::plugin(singleton)]
impl Command for Wrap {
    fn help(&self) -> String {
        "wrap WIDTH: breaks lines that are longer".to_owned()
    }

    fn run(&self, text: &str, argument: &str) -> Result<Outcome, String> {
        let width = argument.parse().map_err(|_| format!("a width is needed, such as `wrap 60`, not `{argument}`"))?;
        Ok(Outcome::Text(text.lines().map(|line| wrapped(line, width)).collect()))
    }
}

/// Returns a line as lines of at most `width` characters, as far as its words permit.
fn wrapped(line: &str, width: usize) -> String {
    let (mut lines, mut length) = (String::new(), 0);
    for word in line.split_whitespace() {
        let letters = word.chars().count();
        if length > 0 {
            let fits = length + 1 + letters <= width;
            lines.push(if fits { ' ' } else { '\n' });
            length = if fits { length + 1 } else { 0 };
        }
        lines.push_str(word);
        length += letters;
    }
    lines + "\n"
}
