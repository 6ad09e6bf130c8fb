//! The drawing of the live view.

use std::path::Path;

use polyplug::runtime::{BundleInfo, Lingering};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout};
use ratatui::style::{Color, Style, Stylize};
use ratatui::text::Line;
use ratatui::widgets::{Block, Cell, List, Row, Table};

use super::board::Board;
use crate::text::bytes;

pub(super) fn draw(frame: &mut Frame<'_>, folder: &Path, bundles: &[BundleInfo], retired: &[Lingering], board: &Board) {
    let failed: Vec<_> =
        board.failed.iter().filter(|(name, _)| !bundles.iter().any(|bundle| bundle.name == **name)).collect();
    let height = u16::try_from(bundles.len() + failed.len() + 3).unwrap_or(u16::MAX);
    let [top, middle, bottom] =
        Layout::vertical([Constraint::Length(height), Constraint::Min(4), Constraint::Length(1)]).areas(frame.area());
    let mut rows: Vec<_> = bundles.iter().map(|bundle| row(bundle, board)).collect();
    rows.extend(failed.iter().map(|(name, error)| {
        let cells = [(*name).clone(), "-".into(), "-".into(), (*error).clone(), "-".into(), "-".into(), "-".into()];
        Row::new(cells).style(Style::new().fg(Color::Red))
    }));
    let widths = [
        Constraint::Max(24),
        Constraint::Length(10),
        Constraint::Length(7),
        Constraint::Fill(1),
        Constraint::Length(10),
        Constraint::Length(9),
        Constraint::Length(7),
    ];
    let header = Row::new(["bundle", "version", "loader", "contracts", "memory", "instances", "reloads"]).bold();
    let title = format!(" {} ", folder.display());
    frame.render_widget(Table::new(rows, widths).header(header).block(Block::bordered().title(title)), top);
    let lines = board.events.iter().map(|(text, is_failure)| {
        let line = Line::from(text.as_str());
        if *is_failure { line.red() } else { line }
    });
    frame.render_widget(List::new(lines).block(Block::bordered().title(" events, the newest first ")), middle);
    let held = if retired.is_empty() { String::new() } else { format!(", {} old versions are held", retired.len()) };
    frame.render_widget(Line::from(format!("{} bundles{held}; q ends", bundles.len())).dim(), bottom);
}

fn row<'a>(bundle: &BundleInfo, board: &Board) -> Row<'a> {
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
    let cells: [String; 7] = [
        bundle.name.clone(),
        bundle.version.to_string(),
        bundle.loader.unwrap_or("-").to_owned(),
        contracts,
        if bundle.memory == 0 { "-".to_owned() } else { bytes(bundle.memory) },
        instances.to_string(),
        board.reloads.get(&bundle.name).copied().unwrap_or(0).to_string(),
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
        let runtime = polyplug_loaders::register(polyplug::Runtime::builder()).build().unwrap();
        let (_folder, bundle) = bundle();
        runtime.load_bundle(&bundle).unwrap();
        let mut terminal = Terminal::new(TestBackend::new(140, 14)).unwrap();
        let bundles = runtime.bundles();
        terminal.draw(|frame| draw(frame, Path::new("plugins"), &bundles, &[], &board)).unwrap();
        let text = terminal.backend().to_string();
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
    }
}
