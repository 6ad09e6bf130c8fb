//! `polyplug run`.

use std::io::IsTerminal;
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use polyplug::{Event, EventKind, Runtime};

use crate::args::Run;
use crate::bundle::{DataFolder, with_stand_in};
use crate::exit::Exit;
use crate::live;
use crate::text::{BOLD, error, styled};

pub(crate) fn run(args: &Run) -> Result<Exit> {
    if !args.folder.is_dir() {
        bail!("{}: there is no such folder", args.folder.display());
    }
    let end = args.seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    // Removed after the runtime.
    let data = DataFolder::new(args.data.data.as_deref())?;
    let builder = Runtime::builder().hot_reload(true).metrics(args.watch).data_directory(data.path());
    let runtime = with_stand_in(builder)?;
    if !args.watch {
        let report = runtime.load_dir(&args.folder);
        anstream::println!("{report}");
        for bundle in runtime.bundles() {
            anstream::println!("{bundle}");
        }
        return Ok(Exit::of(report.problems.is_empty()));
    }
    let (sender, events) = mpsc::channel();
    let subscribed = runtime.on_event(move |event| drop(sender.send(event.clone())));
    subscribed.detach();
    let _watcher = runtime.watch_dir(&args.folder)?;
    let is_live = !args.plain && std::io::stdout().is_terminal();
    if is_live {
        live::show(&runtime, &args.folder, &events, end).context("the terminal cannot be used: try `--plain`")?;
    } else {
        lines(&events, end);
    }
    Ok(Exit::Fine)
}

/// Prints events as lines, until `end`.
fn lines(events: &Receiver<Event>, end: Option<Instant>) {
    if end.is_none() {
        anstream::eprintln!("{}", styled(BOLD, "until Ctrl-C:"));
    }
    loop {
        let left = end.map_or(Duration::from_secs(3600), |end| end.saturating_duration_since(Instant::now()));
        match events.recv_timeout(left) {
            Ok(event) if matches!(event.kind, EventKind::Failed(_)) => {
                anstream::println!("{}", error(&event.to_string()))
            }
            Ok(event) => anstream::println!("{event}"),
            Err(_) if end.is_some_and(|end| end <= Instant::now()) => return,
            Err(mpsc::RecvTimeoutError::Timeout) => {}
            Err(mpsc::RecvTimeoutError::Disconnected) => return,
        }
    }
}
