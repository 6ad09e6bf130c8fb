//! How costs grow: with the number of contracts, bundles and threads, with the size of what is passed, and with its depth.
//!
//! Prints the points of the charts in docs/src/performance.md. `cargo xtask scaling` has them written to the file that
//! POLYPLUG_SCALING names, and draws them.

use std::fmt::Write as _;

#[path = "../shared/rate.rs"]
mod rate;
#[path = "../shared/store.rs"]
mod store;

mod bundles;
mod contracts;
mod languages;
mod threads;
mod values;

/// The points of one chart.
struct Chart {
    points: String,
}

impl Chart {
    /// Makes a chart: the name of its file, its title, what the horizontal and the vertical axis show.
    fn new(file: &str, title: &str, across: &str, up: &str) -> Self {
        println!("\n{title}\n{across:>12}  {up}");
        Self { points: format!("chart\t{file}\t{title}\t{across}\t{up}\n") }
    }

    /// Adds the point of each series at `at`.
    fn points(&mut self, at: &str, series: &[(&str, f64)]) {
        print!("{at:>12}");
        for (name, value) in series {
            print!("  {name} {value:.4}");
            writeln!(self.points, "{name}\t{at}\t{value}").expect("text grows");
        }
        println!();
    }
}

/// The name by which a measurement is chosen, and what measures.
type Measurement = (&'static str, fn() -> Chart);

fn main() {
    let wanted = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let all: [Measurement; 7] = [
        ("contracts", contracts::measure),
        ("threads", threads::measure),
        ("payloads", values::payloads),
        ("lists", values::lists),
        ("depth", values::depth),
        ("loads", bundles::loads),
        ("memory", bundles::memory),
    ];
    let mut points = String::new();
    for (name, measure) in all {
        if wanted.as_ref().is_none_or(|wanted| name.contains(wanted.as_str())) {
            points += &measure().points;
        }
    }
    if let Some(file) = std::env::var_os("POLYPLUG_SCALING") {
        std::fs::write(file, points).expect("the file is written");
    }
}
