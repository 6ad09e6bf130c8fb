//! `polyplug call`.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use indicatif::{ProgressBar, ProgressStyle};
use polyplug::dynamic::DynamicProxy;
use polyplug::schema::{Field, TypeRef};
use serde_json::Value as Json;

use crate::args::Call;
use crate::bundle::Opened;
use crate::contracts;
use crate::exit::Exit;
use crate::text::{DIM, styled};

pub(crate) fn run(args: &Call) -> Result<Exit> {
    let contracts = contracts::read_all(&args.needs.contracts)?;
    let opened = Opened::load(&args.bundle, &args.needs.with, &contracts, args.data.data.as_deref())?;
    let contract = contract(&opened, &args.contract)?;
    let proxy = opened.runtime.dynamic_from(&contract, opened.info.id)?;
    let arguments = arguments(&proxy, &args.method, &args.arguments)?;
    let result = proxy.call_json(&args.method, &arguments)?;
    anstream::println!("{result}");
    if let Some(count) = args.bench {
        bench(&proxy, &args.method, &arguments, count)?;
    }
    Ok(Exit::Fine)
}

/// Completes a contract's name with the major version that the bundle provides.
pub(super) fn contract(opened: &Opened, given: &str) -> Result<String> {
    if given.contains('@') {
        return Ok(given.to_owned());
    }
    let plugins = opened.info.plugins.iter();
    let provided: Vec<_> = plugins.map(|plugin| (plugin.contract.as_str(), plugin.contract_version.major)).collect();
    let mut majors = provided.iter().filter(|(name, _)| *name == given).map(|(_, major)| major);
    match (majors.next(), majors.next()) {
        (Some(major), None) => Ok(format!("{given}@{major}")),
        (Some(_), Some(_)) => {
            bail!("the bundle provides several major versions of {given}: write one, such as {given}@1")
        }
        _ => {
            let names: Vec<_> = provided.iter().map(|(name, major)| format!("{name}@{major}")).collect();
            bail!("bundle `{}` provides no contract `{given}`: it provides {}", opened.info.name, names.join(", "));
        }
    }
}

/// Reads the arguments of a method.
pub(super) fn arguments(proxy: &DynamicProxy, method: &str, given: &[String]) -> Result<Vec<Json>> {
    let described = proxy.schema().method(method).map(|(_, method)| method.arguments.as_slice()).unwrap_or_default();
    given.iter().enumerate().map(|(number, text)| argument(described.get(number), text)).collect()
}

fn argument(described: Option<&Field>, text: &str) -> Result<Json> {
    let takes_text = described.is_some_and(|field| match &field.ty {
        TypeRef::String => true,
        TypeRef::Option(of) => **of == TypeRef::String,
        ty => *ty == TypeRef::Scalar(polyplug::schema::Scalar::Char),
    });
    let is_quoted = text.starts_with('"') || text == "null";
    if takes_text && !is_quoted {
        return Ok(Json::String(text.to_owned()));
    }
    match serde_json::from_str(text) {
        Ok(json) => Ok(json),
        // The name of a case, which `call_json` checks.
        Err(_) if text.chars().all(|letter| letter.is_alphanumeric() || letter == '_') => {
            Ok(Json::String(text.to_owned()))
        }
        Err(error) => {
            let name = described.map_or_else(String::new, |field| format!(" `{}`", field.name));
            Err(anyhow!(error)).with_context(|| format!("the argument{name} is no JSON: {text}"))
        }
    }
}

/// Calls a method many times, and prints how the times are spread.
fn bench(proxy: &DynamicProxy, method: &str, arguments: &[Json], count: u32) -> Result<()> {
    const STEP: u32 = 1000;
    let mut times = Vec::with_capacity(count as usize);
    // Shown on a terminal alone, and moved between calls, outside of what is measured.
    let progress = ProgressBar::new(u64::from(count)).with_message("calls");
    progress.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len} {msg}, {eta} left")?);
    for number in 0..count {
        let start = Instant::now();
        proxy.call_json(method, arguments)?;
        times.push(start.elapsed());
        if number % STEP == 0 {
            progress.set_position(u64::from(number));
        }
    }
    progress.finish_and_clear();
    times.sort();
    let at = |percent: f64| times[((times.len() - 1) as f64 * percent / 100.0).round() as usize];
    anstream::eprintln!("{count} calls by name, with JSON");
    for (name, percent) in
        [("least", 0.0), ("50 %", 50.0), ("90 %", 90.0), ("99 %", 99.0), ("99.9 %", 99.9), ("most", 100.0)]
    {
        anstream::eprintln!("  {name:>7} {:>12}", duration(at(percent)));
    }
    histogram(&times);
    Ok(())
}

/// Prints a histogram whose classes double in width.
fn histogram(times: &[Duration]) {
    const WIDTH: usize = 40;
    let class = |time: &Duration| (time.as_nanos().max(1)).ilog2();
    let (first, last) = (class(&times[0]), class(&times[times.len() - 1]));
    let counts: Vec<_> =
        (first..=last).map(|number| times.iter().filter(|time| class(time) == number).count()).collect();
    let most = counts.iter().copied().max().unwrap_or(1).max(1);
    for (number, count) in (first..=last).zip(counts) {
        let bar = "#".repeat((count * WIDTH).div_ceil(most));
        let from = Duration::from_nanos(1 << number);
        anstream::eprintln!("  {:>12} {bar} {}", duration(from), styled(DIM, &count.to_string()));
    }
}

fn duration(time: Duration) -> String {
    match time.as_nanos() {
        nanos @ 0..10_000 => format!("{nanos} ns"),
        nanos @ 10_000..10_000_000 => format!("{:.1} us", nanos as f64 / 1e3),
        nanos => format!("{:.1} ms", nanos as f64 / 1e6),
    }
}
