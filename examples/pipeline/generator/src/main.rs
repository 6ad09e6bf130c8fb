//! Writes an access log in Combined Log Format: the same one for the same seed, on every machine.

mod clock;
mod damage;
mod random;
mod site;
mod traffic;
mod visitors;

use anyhow::Context;
use clap::Parser;
use random::Random;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use traffic::Traffic;

/// Lines that are damaged, in a thousand.
const DAMAGED: u64 = 15;

/// Writes a made-up access log in Combined Log Format, with some lines damaged.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// How many lines
    #[arg(long, default_value_t = 10_000)]
    lines: u64,
    /// Another seed gives another log
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where to write it [default: standard output]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

fn main() -> anyhow::Result<()> {
    let Arguments { lines, seed, out } = Arguments::parse();
    match out {
        None => write(std::io::stdout().lock(), lines, seed).context("cannot write to standard output"),
        Some(path) => File::create(&path)
            .map_err(anyhow::Error::from)
            .and_then(|file| write(file, lines, seed))
            .with_context(|| format!("cannot write {}", path.display())),
    }
}

fn write(to: impl Write, lines: u64, seed: u64) -> anyhow::Result<()> {
    let mut to = BufWriter::new(to);
    let mut random = Random::new(seed);
    let mut traffic = Traffic::new(&mut random);
    for _ in 0..lines {
        let mut line = traffic.line(&mut random).into_bytes();
        if random.chance(DAMAGED, 1_000) {
            line = damage::damaged(line, &mut random);
        }
        line.push(b'\n');
        to.write_all(&line)?;
    }
    Ok(to.flush()?)
}
