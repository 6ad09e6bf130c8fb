//! The live view of a runtime on a terminal.
//!
//! - [`show`]: draws until a key ends it
//! - [`Board`]: what has happened so far
//!
//! Invariant: the terminal is as before when the view ends, also after an error or a panic.

mod board;
mod view;

use std::path::Path;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use polyplug::{Event, Runtime};
use ratatui::crossterm::event::{self, Event as Input, KeyCode, KeyEventKind, KeyModifiers};

use board::Board;
use view::State;

/// The time between two drawings, while no key is pressed.
const PERIOD: Duration = Duration::from_millis(250);

/// Draws the runtime's bundles and events until `q` or Ctrl-C, or until `end`.
pub(crate) fn show(
    runtime: &Runtime,
    folder: &Path,
    events: &Receiver<Event>,
    end: Option<Instant>,
) -> std::io::Result<()> {
    let mut terminal = ratatui::try_init()?;
    let mut board = Board::default();
    let outcome = loop {
        while let Ok(event) = events.try_recv() {
            board.add(&event);
        }
        let (bundles, retired, metrics) = (runtime.bundles(), runtime.retired(), runtime.metrics());
        let state = State { folder, bundles: &bundles, retired: &retired, metrics: &metrics, board: &board };
        if let Err(error) = terminal.draw(|frame| view::draw(frame, &state)) {
            break Err(error);
        }
        match is_ended() {
            Ok(false) if end.is_none_or(|end| Instant::now() < end) => {}
            outcome => break outcome.map(drop),
        }
    };
    ratatui::restore();
    outcome
}

/// Waits for a key, and returns whether it ends the view.
fn is_ended() -> std::io::Result<bool> {
    if !event::poll(PERIOD)? {
        return Ok(false);
    }
    Ok(match event::read()? {
        Input::Key(key) if key.kind == KeyEventKind::Press => {
            let is_interrupt = key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL);
            is_interrupt || matches!(key.code, KeyCode::Char('q') | KeyCode::Esc)
        }
        _ => false,
    })
}
