//! Advice on globals of browsers and of Node.js that plugins do not have.

/// The capability that a global stands for, and the advice for each.
const ADVICE: &[(&[&str], &str)] = &[
    (
        &["fetch", "XMLHttpRequest", "WebSocket", "EventSource", "Request", "Response", "Headers", "FormData"],
        "plugins have no network; ask the host for a host contract that makes the request, and call it with \
         `host(\"name@major\")`",
    ),
    (
        &["require", "module", "exports", "__dirname", "__filename"],
        "plugins are ES modules; use `import` for files of the bundle, or bundle packages with the format `esm`",
    ),
    (
        &["process"],
        "plugins have no process; settings are in `context.config`, and `log` and `console` write to the host's log. \
         A bundler can replace `process.env.NODE_ENV` by a text",
    ),
    (&["Buffer"], "use Uint8Array, TextEncoder and TextDecoder, which work everywhere"),
    (&["global", "self", "window", "root"], "the global object is `globalThis`"),
    (
        &["document", "navigator", "location", "history", "screen", "HTMLElement", "Element", "alert", "Image"],
        "plugins run in no page; the host shows something if a host contract lets a plugin ask for it",
    ),
    (
        &["localStorage", "sessionStorage", "indexedDB", "caches"],
        "plugins have no storage of a browser; keep state in `save()` and `restore()`, or ask the host for a host \
         contract that stores data",
    ),
    (
        &["Deno", "Bun"],
        "plugins run in QuickJS, without the interfaces of Deno and Bun; import what a plugin may use from \
         \"polyplug\"",
    ),
    (
        &["Worker", "SharedWorker", "MessageChannel", "BroadcastChannel", "Atomics"],
        "a plugin has one thread; move parallel work to the host or to another plugin",
    ),
    (
        &["setImmediate", "requestAnimationFrame", "requestIdleCallback"],
        "use `setTimeout(function, 0)` or `queueMicrotask(function)`",
    ),
    (
        &["crypto"],
        "plugins have no source of cryptographic randomness; ask the host for a host contract that gives random bytes",
    ),
    (&["Intl"], "QuickJS has no `Intl`; bundle a library that formats, or ask the host for a host contract"),
    (&["WebAssembly"], "QuickJS runs no WebAssembly; build the library as JavaScript, or write a native plugin"),
    (&["Blob", "File", "FileReader", "ReadableStream"], "pass bytes as Uint8Array"),
    (
        &["AbortController", "AbortSignal", "EventTarget", "Event"],
        "plugins have no events; bundle a package that implements the type",
    ),
];

/// Returns advice for the message of a `ReferenceError` about a global that plugins do not have. The message may begin
/// with `ReferenceError: ` or `Error: `. Returns `None` for messages about other names.
pub(crate) fn explain_absent(message: &str) -> Option<String> {
    let message = ["ReferenceError: ", "Error: "].iter().find_map(|name| message.strip_prefix(name)).unwrap_or(message);
    let line = message.lines().next()?.trim_end();
    // The function that esbuild puts in the place of `require` throws an error of its own.
    let name = match line.strip_suffix(" is not defined") {
        Some(name) => name.trim_matches(['\'', '"', '`']),
        None if line.starts_with("Dynamic require of ") => "require",
        None => return None,
    };
    let (_, advice) = ADVICE.iter().find(|(names, _)| names.contains(&name))?;
    Some(format!("`{name}` is not there: {advice}"))
}
