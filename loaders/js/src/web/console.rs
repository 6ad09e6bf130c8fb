//! The object `console`.

use std::ffi::CStr;
use std::rc::Rc;
use std::time::Instant;

use polyplug_abi::LogLevel;

use super::inspect::{DEPTH, entries, inspect, number};
use super::quote::shortened;
use super::state::{Call, Native, State, function};
use super::value::{Ctx, PLAIN, Res, Value};

/// The functions that write their arguments at a level.
const WRITERS: &[(&CStr, LogLevel)] = &[
    (c"log", LogLevel::Info),
    (c"info", LogLevel::Info),
    (c"warn", LogLevel::Warn),
    (c"error", LogLevel::Error),
    (c"debug", LogLevel::Debug),
    (c"dirxml", LogLevel::Info),
];

/// The other functions.
const OTHERS: &[(&CStr, Native)] = &[
    (c"trace", trace),
    (c"assert", assert),
    (c"dir", dir),
    (c"table", table),
    (c"count", count),
    (c"countReset", count_reset),
    (c"group", group),
    (c"groupCollapsed", group),
    (c"groupEnd", group_end),
    (c"time", time),
    (c"timeLog", time_log),
    (c"timeEnd", time_end),
    (c"clear", |call| call.undefined()),
];

/// The labels that counters and timers may have at once, and their length. Their memory is not that of the context,
/// whose limit does not hold for it.
const MOST_LABELS: usize = 1000;
const MOST_LABEL_BYTES: usize = 1000;

/// The rows and columns of a table that are written.
const MOST_ROWS: usize = 200;
const MOST_COLUMNS: usize = 20;

/// Makes the object.
pub(super) fn make(ctx: Ctx<'_>, state: &Rc<State>) -> Res<Value> {
    let console = ctx.object()?;
    for (at, (name, _)) in WRITERS.iter().enumerate() {
        console.define(name, function(ctx, state, name, 0, at, write_args)?, PLAIN)?;
    }
    for (name, native) in OTHERS {
        console.define(name, function(ctx, state, name, 0, 0, *native)?, PLAIN)?;
    }
    let tag = state.intrinsics(ctx)?;
    let attributes = rquickjs::qjs::JS_PROP_CONFIGURABLE as _;
    console.define_key(&tag.symbol_to_string_tag.to_key()?, ctx.string("console")?, attributes)?;
    Ok(console)
}

/// Writes a text to the log, indented by the open groups.
fn write(call: &Call<'_>, level: LogLevel, text: &str) -> Res<Value> {
    let indent = "  ".repeat(call.state.groups.get());
    let indented;
    let text = if indent.is_empty() {
        text
    } else {
        indented = format!("{indent}{}", text.replace('\n', &format!("\n{indent}")));
        &indented
    };
    // SAFETY: QuickJS has called a function of this context on this thread.
    unsafe { (call.state.log)(call.ctx.raw(), level, text) };
    call.undefined()
}

fn write_args(call: &Call<'_>) -> Res<Value> {
    let text = format(call, 0)?;
    write(call, WRITERS[call.magic].1, &text)
}

/// Returns the text of the arguments from a place on: specifiers of the first one are replaced, the other arguments
/// follow.
fn format(call: &Call<'_>, from: usize) -> Res<String> {
    let args = call.rest(from);
    let mut rest = args.as_slice();
    let mut text = String::new();
    if let [first, others @ ..] = rest
        && first.is_string()
    {
        rest = others;
        let first = first.text()?;
        if rest.is_empty() || !first.contains('%') {
            text.push_str(&first);
        } else {
            substitute(call, &first, &mut rest, &mut text)?;
        }
        if !rest.is_empty() {
            text.push(' ');
        }
    }
    for (at, value) in rest.iter().enumerate() {
        if at > 0 {
            text.push(' ');
        }
        text.push_str(&plain(call, value, DEPTH)?);
    }
    Ok(text)
}

/// Returns a string as it is, and the description of another value.
fn plain(call: &Call<'_>, value: &Value, depth: usize) -> Res<String> {
    if value.is_string() { value.text() } else { inspect(call.ctx, call.state, value, depth) }
}

fn substitute(call: &Call<'_>, format: &str, args: &mut &[Value], text: &mut String) -> Res<()> {
    let mut chars = format.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let Some(&(next, specifier)) = chars.peek().filter(|_| c == '%') else {
            text.push(c);
            continue;
        };
        if specifier == '%' {
            chars.next();
            text.push('%');
            continue;
        }
        let known = matches!(specifier, 's' | 'd' | 'i' | 'f' | 'j' | 'o' | 'O' | 'c');
        let Some((value, others)) = args.split_first().filter(|_| known) else {
            text.push(c);
            continue;
        };
        debug_assert!(at < next);
        chars.next();
        *args = others;
        match specifier {
            's' => text.push_str(&plain(call, value, 0)?),
            'd' | 'i' | 'f' => text.push_str(&numeric(call.ctx, value, specifier)?),
            'j' => text.push_str(&json(call.ctx, value)?),
            'c' => {}
            _ => text.push_str(&inspect(call.ctx, call.state, value, DEPTH)?),
        }
    }
    Ok(())
}

/// Returns the text of a value as a number. Objects and symbols are no numbers.
fn numeric(ctx: Ctx<'_>, value: &Value, specifier: char) -> Res<String> {
    if value.is_bigint() {
        return Ok(format!("{}n", value.text()?));
    }
    if value.is_object() || value.is_symbol() {
        return Ok("NaN".to_owned());
    }
    let parsed = value.to_number()?;
    let parsed = if specifier == 'i' { parsed.trunc() } else { parsed };
    number(&ctx.number(parsed))
}

fn json(ctx: Ctx<'_>, value: &Value) -> Res<String> {
    // SAFETY: the context and the values are valid.
    let text = unsafe {
        let undefined = rquickjs::qjs::JS_UNDEFINED;
        ctx.own(rquickjs::qjs::JS_JSONStringify(ctx.raw(), value.raw(), undefined, undefined))
    };
    match ctx.attempt(text.and_then(|text| text.text()))? {
        Some(text) => Ok(text),
        None => Ok("[Circular]".to_owned()),
    }
}

fn trace(call: &Call<'_>) -> Res<Value> {
    // SAFETY: the context is valid; the format takes no argument.
    let error = unsafe { call.ctx.own(rquickjs::qjs::JS_NewPlainError(call.ctx.raw(), c"trace".as_ptr())) };
    // A bundle may have replaced the function that makes stacks.
    let stack = call.ctx.attempt(error.and_then(|error| error.get(c"stack")))?;
    let stack = match stack {
        Some(stack) if stack.is_string() => stack.text()?,
        _ => String::new(),
    };
    // The first frame is that of this function.
    let frames: Vec<_> = stack.lines().filter(|line| !line.contains("trace (native)")).collect();
    let text = format(call, 0)?;
    let title = if text.is_empty() { "Trace".to_owned() } else { format!("Trace: {text}") };
    let frames = frames.join("\n");
    write(call, LogLevel::Trace, format!("{title}\n{frames}").trim_end())
}

fn assert(call: &Call<'_>) -> Res<Value> {
    if call.arg(0).truthy() {
        return call.undefined();
    }
    let text = format(call, 1)?;
    let text = if text.is_empty() { "Assertion failed".to_owned() } else { format!("Assertion failed: {text}") };
    write(call, LogLevel::Error, &text)
}

fn dir(call: &Call<'_>) -> Res<Value> {
    let options = call.arg(1);
    let mut depth = DEPTH;
    if options.is_object() {
        let wanted = options.get(c"depth")?;
        if wanted.is_null() {
            depth = usize::MAX;
        } else if wanted.is_number() {
            // The conversion saturates.
            depth = wanted.to_number()? as usize;
        }
    }
    let text = inspect(call.ctx, call.state, &call.arg(0), depth)?;
    write(call, LogLevel::Info, &text)
}

/// Returns the label of a counter, a timer or a group.
fn label(call: &Call<'_>) -> Res<String> {
    let label = call.arg(0);
    if label.is_undefined() {
        return Ok("default".to_owned());
    }
    let mut label = shortened(plain(call, &label, 0)?, MOST_LABEL_BYTES);
    label.shrink_to_fit();
    Ok(label)
}

fn count(call: &Call<'_>) -> Res<Value> {
    let label = label(call)?;
    let count = {
        let mut counts = call.state.counts.borrow_mut();
        if counts.len() >= MOST_LABELS && !counts.contains_key(&label) {
            counts.clear();
        }
        let count = counts.entry(label.clone()).or_default();
        *count += 1;
        *count
    };
    write(call, LogLevel::Info, &format!("{label}: {count}"))
}

fn count_reset(call: &Call<'_>) -> Res<Value> {
    let label = label(call)?;
    let known = call.state.counts.borrow_mut().remove(&label).is_some();
    if known { call.undefined() } else { write(call, LogLevel::Warn, &format!("Count for '{label}' does not exist")) }
}

fn group(call: &Call<'_>) -> Res<Value> {
    let text = format(call, 0)?;
    if !text.is_empty() {
        write(call, LogLevel::Info, &text)?;
    }
    call.state.groups.set((call.state.groups.get() + 1).min(40));
    call.undefined()
}

fn group_end(call: &Call<'_>) -> Res<Value> {
    call.state.groups.set(call.state.groups.get().saturating_sub(1));
    call.undefined()
}

fn time(call: &Call<'_>) -> Res<Value> {
    let label = label(call)?;
    if call.state.times.borrow().contains_key(&label) {
        return write(call, LogLevel::Warn, &format!("Timer '{label}' already exists"));
    }
    let mut times = call.state.times.borrow_mut();
    if times.len() >= MOST_LABELS {
        times.clear();
    }
    times.insert(label, Instant::now());
    call.undefined()
}

fn time_log(call: &Call<'_>) -> Res<Value> {
    let label = label(call)?;
    let started = call.state.times.borrow().get(&label).copied();
    let rest = format(call, 1)?;
    write_time(call, &label, started, &rest)
}

fn time_end(call: &Call<'_>) -> Res<Value> {
    let label = label(call)?;
    let started = call.state.times.borrow_mut().remove(&label);
    write_time(call, &label, started, "")
}

fn write_time(call: &Call<'_>, label: &str, started: Option<Instant>, rest: &str) -> Res<Value> {
    let Some(started) = started else {
        return write(call, LogLevel::Warn, &format!("Timer '{label}' does not exist"));
    };
    let passed = started.elapsed();
    let passed = if passed.as_secs() > 0 {
        format!("{:.3}s", passed.as_secs_f64())
    } else {
        format!("{:.3}ms", passed.as_secs_f64() * 1000.0)
    };
    write(call, LogLevel::Info, format!("{label}: {passed} {rest}").trim_end())
}

/// A table: the label of each row, and the row's text for each column.
struct Table {
    columns: Vec<String>,
    rows: Vec<(String, Vec<(usize, String)>)>,
}

impl Table {
    fn column(&mut self, name: &str) -> Option<usize> {
        if let Some(at) = self.columns.iter().position(|column| column == name) {
            return Some(at);
        }
        (self.columns.len() < MOST_COLUMNS).then(|| {
            self.columns.push(name.to_owned());
            self.columns.len() - 1
        })
    }

    fn draw(&self, index: &str) -> String {
        let mut lines: Vec<Vec<&str>> = Vec::new();
        lines.push([index].into_iter().chain(self.columns.iter().map(String::as_str)).collect());
        for (label, cells) in &self.rows {
            let mut line = vec![""; self.columns.len() + 1];
            line[0] = label;
            for (column, cell) in cells {
                line[column + 1] = cell;
            }
            lines.push(line);
        }
        let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<_> = (0..=self.columns.len()).map(width).collect();
        let rule = |left: char, middle: &str, right: char| {
            let parts: Vec<_> = widths.iter().map(|width| "─".repeat(width + 2)).collect();
            format!("{left}{}{right}", parts.join(middle))
        };
        let mut text = rule('┌', "┬", '┐');
        for (at, line) in lines.iter().enumerate() {
            text.push('\n');
            for (cell, &width) in line.iter().zip(&widths) {
                text.push_str(&format!("│ {cell:width$} "));
            }
            text.push('│');
            if at == 0 {
                text.push('\n');
                text.push_str(&rule('├', "┼", '┤'));
            }
        }
        text.push('\n');
        text.push_str(&rule('└', "┴", '┘'));
        text
    }
}

fn table(call: &Call<'_>) -> Res<Value> {
    let data = call.arg(0);
    if !data.is_object() || data.is_function() || data.is_proxy() {
        return write_one(call);
    }
    let (ctx, state) = (call.ctx, call.state);
    let mut table = Table { columns: Vec::new(), rows: Vec::new() };
    let wanted = call.arg(1);
    let chosen = if wanted.is_array() && !wanted.is_proxy() {
        let mut names = Vec::new();
        for at in 0..wanted.length()?.min(MOST_COLUMNS as u64) as u32 {
            names.push(wanted.get_index(at)?.text()?);
        }
        Some(names)
    } else {
        None
    };
    for name in chosen.iter().flatten() {
        table.column(name);
    }

    let class = data.class_name()?;
    let keyed = class == "Map";
    let mut rows = Vec::new();
    if keyed || class == "Set" {
        let listed = entries(ctx, state, &*state.intrinsics(ctx)?, &data, keyed)?;
        for (at, (key, value)) in listed.into_iter().take(MOST_ROWS).enumerate() {
            rows.push((if keyed { plain(call, &key, 0)? } else { at.to_string() }, value));
        }
    } else {
        for key in data.own_keys(false)?.iter().take(MOST_ROWS) {
            rows.push((key.text()?, data.get_key(key)?));
        }
    }
    let mut values = Vec::new();
    for (label, row) in rows {
        let mut cells = Vec::new();
        if row.is_object() && !row.is_function() && !row.is_proxy() {
            for key in row.own_keys(false)?.iter().take(MOST_COLUMNS) {
                let name = key.text()?;
                if chosen.as_ref().is_some_and(|names| !names.contains(&name)) {
                    continue;
                }
                if let Some(column) = table.column(&name) {
                    cells.push((column, one_line(inspect(ctx, state, &row.get_key(key)?, 0)?)));
                }
            }
        } else {
            values.push((table.rows.len(), one_line(inspect(ctx, state, &row, 0)?)));
        }
        table.rows.push((label, cells));
    }
    if !values.is_empty() {
        let column = table.columns.len();
        table.columns.push("Values".to_owned());
        for (row, text) in values {
            table.rows[row].1.push((column, text));
        }
    }
    let text = table.draw(if keyed { "(key)" } else { "(index)" });
    write(call, LogLevel::Info, &text)
}

fn write_one(call: &Call<'_>) -> Res<Value> {
    let text = plain(call, &call.arg(0), DEPTH)?;
    write(call, LogLevel::Info, &text)
}

fn one_line(text: String) -> String {
    if text.contains('\n') { text.split_whitespace().collect::<Vec<_>>().join(" ") } else { text }
}
