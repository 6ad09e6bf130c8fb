//! The run of the program, and the chart of its samples.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::charts::over_time::{self, Series};
use crate::fixtures;
use crate::process;
use crate::python;
use crate::steps::Steps;
use crate::workspace::{self, Profile};

const PROGRAM: &str = "soak";

/// Where the samples and the chart are written, below the target directory.
const SAMPLES: &str = "soak.tsv";
const CHART: &str = "soak.svg";

/// Runs for so many seconds and draws the chart, also if something grew, which is an error in the end.
pub(crate) fn run(seconds: u64, out: Option<&Path>) -> Result<()> {
    let samples = workspace::target_dir().join(SAMPLES);
    let chart = match out {
        // Programs run at the root of the repository, and this one anywhere.
        Some(out) => std::path::absolute(out).with_context(|| format!("cannot find {}", out.display()))?,
        None => workspace::target_dir().join(CHART),
    };
    // Not those of a run before.
    let _ = fs::remove_file(&samples);
    let mut steps = Steps::new(4);
    steps.step("Looking for what is needed", python::check)?;
    steps.step("Building the plugins", || fixtures::build(Profile::Dev))?;
    // With the features of all packages, as the tests are built.
    steps.step("Building the program", || {
        process::run(process::cargo().args(["build", "--workspace", "--example", PROGRAM]))
    })?;
    let program = workspace::target_dir().join(Profile::Dev.folder()).join("examples");
    let mut command = process::program(program.join(format!("{PROGRAM}{}", env::consts::EXE_SUFFIX)));
    command.arg(seconds.to_string()).arg(&samples);
    let outcome = steps.step(&format!("Running for {seconds} seconds"), || process::run(&mut command));
    let drawn = draw(&samples, &chart);
    steps.finish();
    outcome.and(drawn)?;
    eprintln!("The chart is {}.", chart.display());
    Ok(())
}

/// Draws the chart of a file of samples.
fn draw(samples: &Path, chart: &PathBuf) -> Result<()> {
    let text = fs::read_to_string(samples).with_context(|| format!("there are no samples in {}", samples.display()))?;
    let svg = over_time::draw(&series(&text)?);
    fs::write(chart, svg).with_context(|| format!("cannot write {}", chart.display()))
}

/// Reads samples: lines of a second, the memory in KiB, mappings, files and threads.
fn series(text: &str) -> Result<Vec<Series>> {
    let names = ["Memory, MiB", "Mappings", "Open files", "Threads"];
    let mut series = names.map(|name| Series { name, values: Vec::new() });
    for line in text.lines() {
        let numbers = line.split('\t').map(str::parse).collect::<Result<Vec<f64>, _>>();
        let numbers = numbers.ok().filter(|numbers| numbers.len() == 1 + names.len());
        let numbers = numbers.with_context(|| format!("no sample: {line:?}"))?;
        for (series, number) in series.iter_mut().zip(&numbers[1..]) {
            series.values.push(*number);
        }
    }
    for kib in &mut series[0].values {
        *kib /= 1024.0;
    }
    Ok(series.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_drawn() {
        let temp = tempfile::tempdir().unwrap();
        let [samples, chart] = ["samples", "chart.svg"].map(|name| temp.path().join(name));
        let error = draw(&samples, &chart).unwrap_err().to_string();
        assert!(error.contains("samples"), "{error}");

        fs::write(&samples, "1\t2048\t10\t4\t9\n2\t4096\t12\t4\t11\n").unwrap();
        draw(&samples, &chart).unwrap();
        let svg = fs::read_to_string(&chart).unwrap();
        for part in ["Memory, MiB", "from 2 to 4", "Mappings", "from 10 to 12", "Open files", "Threads"] {
            assert!(svg.contains(part), "{part} is in {svg}");
        }

        for bad in ["1\t2\t3\t4", "1\t2\t3\t4\tx", "text"] {
            fs::write(&samples, bad).unwrap();
            let error = draw(&samples, &chart).unwrap_err().to_string();
            assert!(error.contains("no sample"), "{error}");
        }
    }
}
