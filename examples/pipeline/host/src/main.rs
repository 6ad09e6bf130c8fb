//! `pipeline pipeline.toml`: reads a log, sends it through the stages that the configuration names, and reports.

use anyhow::{Context, ensure};
use clap::Parser;
use pipeline::config::Config;
use pipeline::input::Chunks;
use pipeline::output::Output;
use pipeline::report::{self, Renderer};
use pipeline::table::grouped;
use pipeline::{loaders, run, services, stages};
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Sends a log through stages that are plugins, and reports what they found.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The configuration, which names the stages
    config: PathBuf,
    /// The log to read, `-` for standard input [default: the configuration's]
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// The folder with the bundles [default: the configuration's]
    #[arg(long, value_name = "DIR")]
    bundles: Option<PathBuf>,
    /// Records that go through a stage at a time [default: the configuration's]
    #[arg(long, value_name = "N")]
    batch: Option<NonZeroUsize>,
    /// Where to write the lines that went through every stage
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Where to write the lines that were rejected, with stage and reason
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// Where to write the report that the configuration's `[report]` makes
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Leave out the stages of this bundle; may be given several times
    #[arg(long, value_name = "BUNDLE")]
    without: Vec<String>,
    /// Tell on standard error what happens to the bundles
    #[arg(long)]
    events: bool,
    /// Succeed even if a stage failed on some batches
    #[arg(long)]
    keep_going: bool,
}

fn main() -> ExitCode {
    match try_main(Arguments::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn try_main(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let mut config = Config::read(&arguments.config)?;
    arguments.without.iter().try_for_each(|bundle| config.leave_out(bundle))?;
    let log =
        arguments.log.or(config.log).context("no log to read: give `--log FILE`, or `log` in the configuration")?;
    let bundles = arguments.bundles.unwrap_or(config.bundles);
    let batch = arguments.batch.unwrap_or(config.batch);

    let chunks = Chunks::new(open(&log)?, batch);
    let runtime = loaders::runtime().context("cannot start the plugin runtime")?;
    // Until the end of the run: a subscription ends when it is dropped.
    let _events = arguments.events.then(|| runtime.on_event(|event| eprintln!("{event}")));
    services::provide(&runtime, config.progress)?;
    let stages = stages::load(&runtime, &config.peers, &config.stages, &bundles)?;

    let report = match arguments.report {
        Some(file) => {
            let config = config.report.context("no bundle makes reports: name one in the configuration, `[report]`")?;
            Some((Renderer::load(&runtime, &config, &bundles)?, file))
        }
        None => None,
    };

    let report_file = report.as_ref().map(|(_, file)| file);
    for target in [arguments.output.as_ref(), arguments.rejects.as_ref(), report_file].into_iter().flatten() {
        ensure!(!is_same_file(&log, target), "{} is the log: write the output elsewhere", target.display());
    }
    let mut output = Output::new(arguments.output.as_deref(), arguments.rejects.as_deref())?;
    if report.is_some() {
        output.keep_statistics();
    }
    let outcome = run::run(&stages, chunks, &mut output).with_context(|| format!("with the log {}", log.display()))?;
    output.finish()?;
    let summary = output.summary(&stages, &outcome);
    std::io::stdout().write_all(summary.as_bytes()).context("cannot write to standard output")?;

    if let Some((renderer, file)) = report {
        let source =
            if log == Path::new("-") { "standard input".as_ref() } else { log.file_name().unwrap_or_default() };
        let source = source.display().to_string();
        let summary = output.report(source, &stages, &outcome, report::sessions(&runtime)?);
        let size = renderer.write(&summary, &file)?;
        println!("\nReport\n  {}, {} bytes", file.display(), grouped(size));
    }

    if outcome.failures == 0 || arguments.keep_going {
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!("failures of stages: {}; with `--keep-going` this would be a success", outcome.failures);
    Ok(ExitCode::FAILURE)
}

fn open(log: &Path) -> anyhow::Result<Box<dyn BufRead>> {
    if log == Path::new("-") {
        return Ok(Box::new(std::io::stdin().lock()));
    }
    let file = File::open(log)
        .with_context(|| format!("cannot read the log {}: name another with `--log FILE`", log.display()))?;
    Ok(Box::new(BufReader::new(file)))
}

fn is_same_file(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}
