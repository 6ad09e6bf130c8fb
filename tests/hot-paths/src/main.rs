//! Makes the calls whose instructions are counted. The argument is a group of calls: `native`, `lua`, `js` or `python`.
//!
//! `polyplug_tests::instructions` runs this program under callgrind, and reads the lines that it prints.

use std::process::ExitCode;

mod bundle;
mod counted;
#[cfg(feature = "js")]
mod js;
#[cfg(feature = "lua")]
mod lua;
mod native;
#[cfg(feature = "python")]
mod python;
#[cfg(any(feature = "js", feature = "lua", feature = "python"))]
mod script;

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("native") => native::run(),
        #[cfg(feature = "lua")]
        Some("lua") => lua::run(),
        #[cfg(feature = "js")]
        Some("js") => js::run(),
        #[cfg(feature = "python")]
        Some("python") => python::run(),
        other => {
            eprintln!("usage: hot-paths native|lua|js|python, not {other:?}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
