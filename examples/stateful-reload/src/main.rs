//! A host that replaces a plugin while threads call it. The plugin counts, and the new version goes on with the count.

use std::error::Error;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Barrier, RwLock};
use std::{fs, thread};

use polyplug::{CallError, Runtime};
use polyplug_lua::LuaLoader;

/// A ticket of a queue.
#[derive(polyplug::Type)]
struct Ticket {
    number: u64,
    text: String,
}

/// Hands out tickets with ascending numbers, beginning with 1.
#[polyplug::contract(name = "queue.tickets", version = "1.0")]
trait Tickets {
    fn next(&self) -> Ticket;
}

const CALLERS: usize = 4;
/// The tickets that each caller draws before and after the reload, at least.
const TICKETS: usize = 100;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    install("one", folder.path())?;
    let runtime = Runtime::builder().loader(LuaLoader::new()).hot_reload(true).build()?;
    runtime.load_bundle(folder.path())?;
    let tickets = runtime.proxy::<dyn Tickets>()?;
    println!("before: {}", tickets.next()?.text);

    // Calls go on during a reload, and what they change after `save` is lost. A number that is handed out twice would be
    // wrong, so here they wait.
    let calls = RwLock::new(());
    let (running, reloaded) = (Barrier::new(CALLERS + 1), AtomicBool::new(false));
    let mut numbers = thread::scope(|scope| -> Result<Vec<u64>, Box<dyn Error>> {
        let callers = [(); CALLERS].map(|()| scope.spawn(|| draw(&tickets, &calls, &running, &reloaded)));
        running.wait();
        let report = install("two", folder.path()).map_err(Box::from).and_then(|()| {
            let _no_call_runs = calls.write().expect("no thread panics with the lock");
            runtime.reload_bundle(folder.path()).map_err(Box::<dyn Error>::from)
        });
        reloaded.store(true, Ordering::Relaxed);
        let numbers: Result<Vec<_>, _> = callers.into_iter().map(|caller| caller.join().expect("no panic")).collect();
        println!("reloaded: {} with its state", report?.migrated);
        Ok(numbers?.concat())
    })?;
    let last = tickets.next()?;
    println!("after: {}", last.text);

    numbers.extend([1, last.number]);
    numbers.sort_unstable();
    if !numbers.iter().copied().eq(1..=last.number) {
        return Err("a number was handed out twice, or is missing".into());
    }
    println!("{} tickets, each number once", numbers.len());
    Ok(())
}

/// Writes a version of the plugin into the bundle's folder.
fn install(version: &str, folder: &Path) -> std::io::Result<()> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("versions").join(version);
    for file in ["manifest.toml", "main.lua"] {
        fs::copy(source.join(file), folder.join(file))?;
    }
    Ok(())
}

/// Draws tickets until the plugin is reloaded, and some before and afterwards. Returns their numbers.
fn draw(
    tickets: &TicketsProxy,
    calls: &RwLock<()>,
    running: &Barrier,
    reloaded: &AtomicBool,
) -> Result<Vec<u64>, CallError> {
    let next = || {
        let _reload_waits = calls.read().expect("no thread panics with the lock");
        tickets.next().map(|ticket| ticket.number)
    };
    let before: Result<Vec<_>, _> = (0..TICKETS).map(|_| next()).collect();
    running.wait();
    let mut numbers = before?;
    while !reloaded.load(Ordering::Relaxed) {
        numbers.push(next()?);
    }
    for _ in 0..TICKETS {
        numbers.push(next()?);
    }
    Ok(numbers)
}
