//! What the text tool and its commands agree on.

/// The result of a command.
#[derive(Debug, Clone, PartialEq, polyplug::Type)]
pub enum Outcome {
    /// The text is this one from now on.
    Text(String),
    /// The text stays as it is, and this is shown.
    Message(String),
}

/// A command of the text tool. Its name is that of the bundle. The plugin is declared a singleton: the tool looks it up for
/// each line that is typed, which would make an instance of any other.
#[polyplug::contract(name = "editor.command", version = "1.0")]
pub trait Command {
    /// Describes the command in one line.
    fn help(&self) -> String;

    /// Carries the command out on a text, with what was typed after its name.
    fn run(&self, text: &str, argument: &str) -> Result<Outcome, String>;
}
