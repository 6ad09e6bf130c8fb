//! The command `cargo polyplug`, which cargo calls with its own name as the first argument.

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments: Vec<_> = std::env::args_os().collect();
    if arguments.get(1).is_some_and(|first| first == "polyplug") {
        arguments.remove(1);
    }
    polyplug_cli::main(arguments)
}
