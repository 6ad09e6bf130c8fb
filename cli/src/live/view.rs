//! The drawing of the live view.

use std::path::Path;
use std::time::Duration;

use polyplug::metrics::Metrics;
use polyplug::runtime::{BundleInfo, Lingering};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout};
use ratatui::style::{Color, Style, Stylize};
use ratatui::text::Line;
use ratatui::widgets::{Block, Cell, List, Row, Table};

use super::board::Board;
use crate::text::bytes;

/// The columns of the table of bundles, with their widths.
const COLUMNS: [(&str, Constraint); 10] = [
    ("bundle", Constraint::Max(24)),
    ("version", Constraint::Length(10)),
    ("loader", Constraint::Length(7)),
    ("contracts", Constraint::Fill(1)),
    ("memory", Constraint::Length(10)),
    ("instances", Constraint::Length(9)),
    ("reloads", Constraint::Length(7)),
    ("calls", Constraint::Length(8)),
    ("errors", Constraint::Length(6)),
    ("mean", Constraint::Length(8)),
];

/// What is drawn.
pub(super) struct State<'a> {
    pub(super) folder: &'a Path,
    pub(super) bundles: &'a [BundleInfo],
    /// The versions that are held.
    pub(super) retired: &'a [Lingering],
    pub(super) metrics: &'a Metrics,
    pub(super) board: &'a Board,
}

pub(super) fn draw(frame: &mut Frame<'_>, state: &State<'_>) {
    let State { folder, bundles, retired, metrics, board } = *state;
    let failed: Vec<_> =
        board.failed.iter().filter(|(name, _)| !bundles.iter().any(|bundle| bundle.name == **name)).collect();
    let height = u16::try_from(bundles.len() + failed.len() + 3).unwrap_or(u16::MAX);
    let [top, middle, bottom] =
        Layout::vertical([Constraint::Length(height), Constraint::Min(4), Constraint::Length(1)]).areas(frame.area());
    let mut rows: Vec<_> = bundles.iter().map(|bundle| row(bundle, metrics, board)).collect();
    rows.extend(failed.iter().map(|(name, error)| {
        let mut cells = COLUMNS.map(|_| "-".to_owned());
        cells[0].clone_from(name);
        cells[3].clone_from(error);
        Row::new(cells).style(Style::new().fg(Color::Red))
    }));
    let header = Row::new(COLUMNS.map(|(name, _)| name)).bold();
    let title = format!(" {} ", folder.display());
    frame.render_widget(
        Table::new(rows, COLUMNS.map(|(_, width)| width)).header(header).block(Block::bordered().title(title)),
        top,
    );
    let lines = board.events.iter().map(|(text, is_failure)| {
        let line = Line::from(text.as_str());
        if *is_failure { line.red() } else { line }
    });
    frame.render_widget(List::new(lines).block(Block::bordered().title(" events, the newest first ")), middle);
    let held = if retired.is_empty() { String::new() } else { format!(", {} old versions are held", retired.len()) };
    frame.render_widget(Line::from(format!("{} bundles{held}; q ends", bundles.len())).dim(), bottom);
}

/// The calls of a bundle's methods.
#[derive(Default)]
struct Calls {
    number: u64,
    /// The calls that failed.
    errors: u64,
    /// The time of all calls together.
    time: Duration,
}

impl Calls {
    fn of(bundle: &str, metrics: &Metrics) -> Self {
        let methods = metrics.methods.iter().filter(|method| method.bundle == bundle);
        methods.fold(Self::default(), |calls, method| Self {
            number: calls.number + method.calls,
            errors: calls.errors + method.errors,
            time: calls.time.saturating_add(method.latency.sum()),
        })
    }

    /// Returns the mean time of a call as text.
    fn mean(&self) -> String {
        match u32::try_from(self.number) {
            Ok(0) => "-".to_owned(),
            Ok(number) => format!("{:.1?}", self.time / number),
            Err(_) => format!("{:.1?}", self.time.div_f64(self.number as f64)),
        }
    }
}

fn row<'a>(bundle: &BundleInfo, metrics: &Metrics, board: &Board) -> Row<'a> {
    let contracts = bundle.plugins.iter().map(|plugin| {
        let version = plugin.contract_version;
        format!("{}@{}.{}", plugin.contract, version.major, version.minor)
    });
    let instances: usize = bundle.plugins.iter().map(|plugin| plugin.instances).sum();
    let mut contracts = contracts.collect::<Vec<_>>().join(", ");
    let failure = board.failed.get(&bundle.name);
    if let Some(error) = failure {
        contracts = format!("the old version serves: {error}");
    }
    let calls = Calls::of(&bundle.name, metrics);
    let cells: [String; COLUMNS.len()] = [
        bundle.name.clone(),
        bundle.version.to_string(),
        bundle.loader.unwrap_or("-").to_owned(),
        contracts,
        if bundle.memory == 0 { "-".to_owned() } else { bytes(bundle.memory) },
        instances.to_string(),
        board.reloads.get(&bundle.name).copied().unwrap_or(0).to_string(),
        calls.number.to_string(),
        calls.errors.to_string(),
        calls.mean(),
    ];
    let row = Row::new(cells.map(Cell::from));
    if failure.is_some() { row.style(Style::new().fg(Color::Yellow)) } else { row }
}

#[cfg(test)]
mod tests {
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    use super::*;

    /// Makes a bundle of a greeter.
    fn bundle() -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_owned();
        let manifest = "name = \"greeter\"\nversion = \"1.2.3\"\nloader = \"lua\"\nfile = \"main.lua\"\n";
        let method = polyplug::schema::Method {
            name: "greet".to_owned(),
            docs: String::new(),
            since: 0,
            arguments: Vec::new(),
            result: polyplug::schema::TypeRef::String,
        };
        let schema = polyplug::schema::Schema {
            name: "demo.greeter".to_owned(),
            major: 1,
            minor: 0,
            docs: String::new(),
            methods: vec![method],
            types: Vec::new(),
        };
        std::fs::write(path.join("manifest.toml"), manifest).unwrap();
        std::fs::write(path.join("demo.greeter@1.schema"), schema.encode()).unwrap();
        let code = "local G = require('polyplug').plugin('demo.greeter@1')\nfunction G:greet() return '' end\n";
        std::fs::write(path.join("main.lua"), code).unwrap();
        (folder, path)
    }

    #[test]
    fn bundles_failures_and_events_are_drawn() {
        let mut board = Board::default();
        board.failed.insert("broken".to_owned(), "main.lua:3: unexpected symbol".to_owned());
        board.events.push_front(("bundle `broken` could not be loaded".to_owned(), true));
        let runtime = polyplug_loaders::register(polyplug::Runtime::builder()).metrics(true).build().unwrap();
        let (_folder, bundle) = bundle();
        runtime.load_bundle(&bundle).unwrap();
        let greeter = runtime.dynamic_from("demo.greeter@1", "greeter").unwrap();
        for _ in 0..3 {
            greeter.call_json("greet", &[]).unwrap();
        }
        let drawn = || {
            let mut terminal = Terminal::new(TestBackend::new(140, 14)).unwrap();
            let (bundles, metrics) = (runtime.bundles(), runtime.metrics());
            let folder = Path::new("plugins");
            let state = State { folder, bundles: &bundles, retired: &[], metrics: &metrics, board: &board };
            terminal.draw(|frame| draw(frame, &state)).unwrap();
            terminal.backend().to_string()
        };
        let text = drawn();
        let parts = [
            "plugins",
            "memory",
            "greeter",
            "1.2.3",
            "demo.greeter@1.0",
            "broken",
            "main.lua:3: unexpected symbol",
            "could not be loaded",
            "1 bundles; q ends",
        ];
        for part in parts {
            assert!(text.contains(part), "no `{part}` in:\n{text}");
        }
        let calls = |text: &str| {
            let row = text.lines().find(|line| line.contains("greeter")).expect("a row of the bundle");
            let cells = row.trim_matches(['"', '│', ' ']).split_whitespace().rev().take(3).map(str::to_owned);
            cells.collect::<Vec<_>>()
        };
        let cells = calls(&text);
        assert_eq!(&cells[1..], ["0", "3"], "{text}");
        assert!(cells[0].ends_with('s'), "a time:\n{text}");
        std::fs::write(
            bundle.join("main.lua"),
            "local G = require('polyplug').plugin('demo.greeter@1')\nfunction G:greet() error('no') end\n",
        )
        .unwrap();
        runtime.unload_bundle("greeter").unwrap();
        runtime.load_bundle(&bundle).unwrap();
        let greeter = runtime.dynamic_from("demo.greeter@1", "greeter").unwrap();
        greeter.call_json("greet", &[]).unwrap_err();
        let text = drawn();
        assert_eq!(calls(&text)[1], "1", "{text}");
    }
}
