//! Tables as text: columns of numbers to the right, others to the left.

use pipeline_contracts::{Cell, Report};
use std::fmt;

/// Characters of a cell that are shown.
const MAX_WIDTH: usize = 100;

/// A table that prints itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    head: Vec<String>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// A table with these column heads and no rows.
    pub fn new<S: Into<String>>(head: impl IntoIterator<Item = S>) -> Self {
        Self { head: head.into_iter().map(Into::into).collect(), rows: Vec::new() }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Reports come from stages, so a row may have more or fewer cells than the table has columns.
    fn columns(&self) -> usize {
        self.rows.iter().map(Vec::len).fold(self.head.len(), usize::max)
    }

    fn is_numeric(&self, column: usize) -> bool {
        let mut cells = self.rows.iter().filter_map(|row| row.get(column)).peekable();
        cells.peek().is_some() && cells.all(|cell| !matches!(cell, Cell::Text(_)))
    }
}

impl From<&Report> for Table {
    fn from(report: &Report) -> Self {
        Self { head: report.columns.clone(), rows: report.rows.clone() }
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = self.head.iter().map(|head| printable(head)).collect();
        let rows = self.rows.iter().map(|row| row.iter().map(text).collect());
        let lines: Vec<Vec<String>> = std::iter::once(head).chain(rows).collect();
        let columns: Vec<_> = (0..self.columns())
            .map(|column| {
                let width = lines.iter().filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max();
                (width.unwrap_or(0), self.is_numeric(column))
            })
            .collect();

        for (number, line) in lines.iter().enumerate() {
            write_line(f, line, &columns)?;
            if number == 0 {
                let rule: Vec<_> = columns.iter().map(|(width, _)| "-".repeat(*width)).collect();
                write_line(f, &rule, &columns)?;
            }
        }
        Ok(())
    }
}

fn write_line(f: &mut fmt::Formatter<'_>, cells: &[String], columns: &[(usize, bool)]) -> fmt::Result {
    let padded: Vec<_> = cells
        .iter()
        .zip(columns)
        .map(
            |(cell, &(width, is_numeric))| {
                if is_numeric { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
            },
        )
        .collect();
    writeln!(f, "{}", format!("  {}", padded.join("  ")).trim_end())
}

fn text(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => shortened(printable(text)),
        Cell::Integer(number) => grouped(number),
        Cell::Number(number) => format!("{number:.2}"),
    }
}

/// What comes from a log may hold anything: a control character would reach the terminal, or break a line.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|char| if char.is_control() { '\u{fffd}' } else { char }).collect()
}

/// One long cell would make all lines of its table long.
fn shortened(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(MAX_WIDTH) {
        text.truncate(end);
        text.push('…');
    }
    text
}

/// `1234567` as `1,234,567`.
#[must_use]
pub fn grouped(number: impl ToString) -> String {
    let mut text = number.to_string();
    let digits = text.trim_start_matches('-').len();
    for place in (3..digits).step_by(3) {
        text.insert(text.len() - place - (place / 3 - 1), ',');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_to_the_right_words_to_the_left() {
        let mut table = Table::new(["path", "requests", "share %"]);
        table.row([Cell::Text("/größe".into()), Cell::Integer(12_345), Cell::Number(99.5)]);
        table.row([Cell::Text("/".into()), Cell::Integer(-7), Cell::Number(0.0)]);
        assert_eq!(
            table.to_string(),
            concat!(
                "  path    requests  share %\n",
                "  ------  --------  -------\n",
                "  /größe    12,345    99.50\n",
                "  /             -7     0.00\n",
            )
        );
    }

    #[test]
    fn rows_may_be_ragged() {
        let mut table = Table::new(["a"]);
        table.row([]);
        table.row([Cell::Integer(1), Cell::Text("x".into())]);
        assert_eq!(table.to_string(), "  a\n  -  -\n\n  1  x\n");
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        assert_eq!(text(&Cell::Text("a\x1b[31m\nb".into())), "a\u{fffd}[31m\u{fffd}b");
    }

    #[test]
    fn long_cells_are_shortened() {
        let shown = |length| text(&Cell::Text("ü".repeat(length))).chars().count();
        assert_eq!([0, MAX_WIDTH, MAX_WIDTH + 1, 1_000].map(shown), [0, MAX_WIDTH, MAX_WIDTH + 1, MAX_WIDTH + 1]);
        assert!(text(&Cell::Text("ü".repeat(1_000))).ends_with("ü…"));
    }

    #[test]
    fn grouping() {
        let all = [0, 999, 1_000, -1_000, 12_345_678, i64::MIN].map(|number: i64| grouped(number));
        assert_eq!(all, ["0", "999", "1,000", "-1,000", "12,345,678", "-9,223,372,036,854,775,808"]);
    }
}
