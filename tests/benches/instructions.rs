//! The instructions of a call, beside its floor, counted by callgrind. `tests/tests/instructions.rs` compares the same
//! counts with those that are kept.

use std::process::{Command, ExitCode};

use polyplug_tests::instructions::{GROUPS, build, counts};

fn main() -> ExitCode {
    if Command::new("valgrind").arg("--version").output().is_err() {
        println!("\nInstructions a call: SKIPPED, for valgrind is not installed. To count them:");
        println!("    apt-get install valgrind && cargo xtask bench");
        return if std::env::var_os("CI").is_some() { ExitCode::FAILURE } else { ExitCode::SUCCESS };
    }
    println!("\nInstructions a call (callgrind)");
    println!("{:<48} {:>11} {:>11} {:>7}", "", "ours", "floor", "ratio");
    match print() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn print() -> Result<(), String> {
    let program = build()?;
    let filter = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    for (group, _) in GROUPS {
        for (name, count) in counts(&program, group)? {
            if filter.as_ref().is_some_and(|filter| !name.contains(filter.as_str())) {
                continue;
            }
            let ours = count.ours;
            match count.floor {
                Some(floor) => println!("{name:<48} {ours:>11.1} {floor:>11.1} {:>7.2}", ours / floor),
                None => println!("{name:<48} {ours:>11.1} {:>11} {:>7}", "-", "-"),
            }
        }
    }
    Ok(())
}
