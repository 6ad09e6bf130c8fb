//! The command `polyplug`.

use std::process::ExitCode;

fn main() -> ExitCode {
    polyplug_cli::main(std::env::args_os())
}
