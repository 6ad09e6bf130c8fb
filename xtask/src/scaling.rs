//! `cargo xtask scaling`: how costs grow, as charts for the book.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::charts::growth::{self, Growth};
use crate::workspace::{self, Profile};
use crate::{fixtures, process, python};

/// Where the benchmark writes its points, below the target directory.
const POINTS: &str = "scaling.tsv";

/// Where the book has its charts.
const CHARTS: &str = "docs/src/charts";

pub(crate) fn run(filter: Option<&str>) -> Result<()> {
    python::required()?;
    fixtures::plugins(Profile::Release)?;
    let points = workspace::target_dir().join(POINTS);
    // Not those of a run before.
    let _ = fs::remove_file(&points);
    let mut command = process::cargo();
    command.args(["bench", "--package", "polyplug-tests", "--bench", "scaling", "--"]).args(filter);
    process::run(command.env("POLYPLUG_SCALING", &points))?;
    for chart in draw(&points, &workspace::root().join(CHARTS))? {
        eprintln!("A chart is {}.", chart.display());
    }
    Ok(())
}

/// Draws the charts of a file of points into a folder. Returns their files.
fn draw(points: &Path, folder: &Path) -> Result<Vec<PathBuf>> {
    let text = fs::read_to_string(points).with_context(|| format!("there are no points in {}", points.display()))?;
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let mut files = Vec::new();
    for (name, chart) in charts(&text)? {
        let file = folder.join(name).with_extension("svg");
        fs::write(&file, growth::draw(&chart)).with_context(|| format!("cannot write {}", file.display()))?;
        files.push(file);
    }
    Ok(files)
}

/// Reads charts: a line with the name, title and axes of each, and after it a line for each point, with the name of its series,
/// its size and its value.
fn charts(text: &str) -> Result<Vec<(String, Growth)>> {
    let mut charts: Vec<(String, Growth)> = Vec::new();
    for line in text.lines() {
        let parts: Vec<&str> = line.split('\t').collect();
        if let ["chart", name, title, across, up] = parts[..] {
            let [title, across, up] = [title, across, up].map(str::to_owned);
            charts.push((name.to_owned(), Growth { title, across, up, ..Growth::default() }));
            continue;
        }
        let no_point = || format!("no point: {line:?}");
        let [series, size, value] = parts[..] else { bail!(no_point()) };
        let value: f64 = value.parse().with_context(no_point)?;
        let (_, chart) = charts.last_mut().with_context(no_point)?;
        if chart.sizes.last().is_none_or(|last| last != size) {
            chart.sizes.push(size.to_owned());
        }
        match chart.series.iter_mut().find(|(name, _)| name == series) {
            Some((_, values)) => values.push(value),
            None => chart.series.push((series.to_owned(), vec![value])),
        }
    }
    Ok(charts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_drawn() {
        let temp = tempfile::tempdir().unwrap();
        let (points, folder) = (temp.path().join("points"), temp.path().join("charts"));
        assert!(draw(&points, &folder).unwrap_err().to_string().contains("points"));

        let text = "chart\tbytes\tBytes\tbytes\tns\nRust\t0\t3\nLua\t0\t60\nRust\t1 Ki\t4\nLua\t1 Ki\t70\nchart\tother\tO\tx\ty\n";
        let read = charts(text).unwrap();
        assert_eq!(read.len(), 2);
        assert_eq!(read[0].1.sizes, ["0", "1 Ki"]);
        assert_eq!(read[0].1.series, [("Rust".to_owned(), vec![3.0, 4.0]), ("Lua".to_owned(), vec![60.0, 70.0])]);

        fs::write(&points, text).unwrap();
        assert_eq!(
            draw(&points, &folder).unwrap(),
            ["bytes", "other"].map(|name| folder.join(name).with_extension("svg"))
        );
        assert!(fs::read_to_string(folder.join("bytes.svg")).unwrap().contains(">Lua</text>"));
    }

    #[test]
    fn a_wrong_point_is_an_error() {
        for bad in ["Rust\t0\t3", "chart\ta\tb\tc\td\nRust\t0\tx", "chart\ta\tb\tc\td\nRust\t0", "text"] {
            let error = charts(bad).unwrap_err().to_string();
            assert!(error.contains("no point"), "{error}");
        }
    }
}
