//! `polyplug compat`.

use anyhow::Result;
use polyplug::schema::{Change, Verdict, compare};
use serde_json::json;

use crate::args::Compat;
use crate::contracts;
use crate::exit::Exit;
use crate::text::{BOLD, GREEN, RED, YELLOW, styled};

pub(crate) fn run(args: &Compat) -> Result<Exit> {
    let (old, new) = (contracts::read(&args.old)?, contracts::read(&args.new)?);
    let both = old.iter().filter_map(|(name, schema)| Some((name, compare(schema, new.get(name)?))));
    let both: Vec<(&String, Vec<Change>)> = both.collect();
    let removed: Vec<_> = old.keys().filter(|name| !new.contains_key(*name)).collect();
    let added: Vec<_> = new.keys().filter(|name| !old.contains_key(*name)).collect();
    let worst = both.iter().flat_map(|(_, changes)| changes).map(|change| change.verdict).max();
    let breaks = !removed.is_empty() || worst.is_some_and(|worst| worst.breaks_hosts() || worst.breaks_plugins());
    if args.output.json {
        let contracts = both.iter().map(|(name, changes)| {
            let changes: Vec<_> = changes.iter().map(as_json).collect();
            json!({ "contract": name, "changes": changes })
        });
        let contracts: Vec<_> = contracts.collect();
        anstream::println!(
            "{:#}",
            json!({ "contracts": contracts, "removed": removed, "added": added, "breaks": breaks })
        );
        return Ok(Exit::of(!breaks));
    }
    for name in &removed {
        anstream::println!(
            "{}: {} was removed, or has another major version",
            styled(RED, "breaking"),
            styled(BOLD, name)
        );
    }
    for name in &added {
        anstream::println!("{}: {} was added", styled(GREEN, "compatible"), styled(BOLD, name));
    }
    for (name, changes) in &both {
        if changes.is_empty() {
            anstream::println!("{} is the same in both", styled(BOLD, name));
            continue;
        }
        anstream::println!("{}", styled(BOLD, name));
        for change in changes {
            let style = match change.verdict {
                Verdict::Compatible => GREEN,
                Verdict::Adapted => YELLOW,
                _ => RED,
            };
            anstream::println!("  {}", styled(style, &change.to_string()));
        }
    }
    Ok(Exit::of(!breaks))
}

fn as_json(change: &Change) -> serde_json::Value {
    json!({
        "place": change.place,
        "old": change.old,
        "new": change.new,
        "verdict": change.verdict.to_string(),
        "breaks_hosts": change.verdict.breaks_hosts(),
        "breaks_plugins": change.verdict.breaks_plugins(),
    })
}
