//! Calls are counted and timed, and are spans, if the host wants that: whoever calls, in whichever language.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use polyplug::metrics::MethodMetrics;
use polyplug::runtime::RuntimeBuilder;
use polyplug::{BundleId, CallError, Runtime, Value};
use polyplug_js::JsLoader;
use polyplug_lua::LuaLoader;
use polyplug_native::NativeLoader;
use polyplug_tests::{Bundle, manifest};
use test_contracts::calling::Caller;
use test_contracts::{Counter, Stamp};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

fn builder() -> RuntimeBuilder {
    Runtime::builder().loader(NativeLoader::new()).loader(LuaLoader::new()).loader(JsLoader::new()).hot_reload(true)
}

fn counting() -> Arc<Runtime> {
    builder().metrics(true).build().unwrap()
}

/// A bundle in a script whose counter adds twice by the counter of another bundle.
fn twice(loader: &str) -> Bundle {
    let code = match loader {
        "lua" => {
            "local polyplug = require('polyplug')\nlocal other = polyplug.peer('test.counter@1')\nlocal C = \
             polyplug.plugin('test.stamp@1')\nfunction C:version() other:add(1) return other:add(1) end\nfunction \
             C:echo(t) return t end\nfunction C:card(t) error('no') end\nfunction C:give_up(t) error(t) end\n"
        }
        _ => {
            "import { peer, plugin } from 'polyplug';\nconst other = peer('test.counter@1');\nplugin('test.stamp@1', { \
             version() { other.add(1); return Number(other.add(1)); }, echo: (t) => t, card() {}, giveUp(t) { throw new \
             Error(t); } });\n"
        }
    };
    let bundle = Bundle::script(loader, code);
    let file = polyplug_tests::main_file(loader);
    let needs = "[[dependency]]\ncontract = \"test.counter@1\"\n";
    bundle.write("manifest.toml", manifest("twice", loader, file) + needs);
    bundle
}

/// The calls and errors of a method.
fn of(runtime: &Runtime, bundle: &str, method: &str) -> (u64, u64) {
    let all = runtime.metrics().methods;
    let found: Vec<_> = all.iter().filter(|each| each.bundle == bundle && each.method == method).collect();
    let [MethodMetrics { calls, errors, latency, .. }] = found.as_slice() else {
        panic!("{bundle}.{method} is there once: {all:?}")
    };
    assert_eq!(latency.count(), *calls);
    (*calls, *errors)
}

#[test]
fn calls_of_proxies_and_dynamic_calls_are_counted() {
    let runtime = counting();
    let bundle = Bundle::native("calc", "plugin-calc");
    runtime.load_bundle(bundle.path()).unwrap();
    let counter = runtime.proxy::<dyn Counter>().unwrap();
    let added = || {
        let methods = runtime.metrics().methods;
        methods.into_iter().find(|each| each.contract == "test.counter@1" && each.method == "add").unwrap()
    };
    assert_eq!(added().calls, 0);
    for _ in 0..10 {
        counter.add(1).unwrap();
    }
    runtime.call("test.counter@1", "add", &[Value::from(1_u64)]).unwrap();
    let added = added();
    assert_eq!((added.calls, added.errors), (11, 0));
    assert!(added.latency.percentile(100.0) < Duration::from_secs(10) && added.latency.sum() > Duration::ZERO);
}

#[test]
fn failures_are_errors_and_declared_errors_are_answers() {
    let runtime = counting();
    let stamp = Bundle::native("stamp", "plugin-reload-one");
    runtime.load_bundle(stamp.path()).unwrap();
    let proxy = runtime.proxy::<dyn Stamp>().unwrap();
    proxy.version().unwrap();
    assert!(matches!(proxy.give_up("enough"), Err(CallError::Panic(_))));
    assert_eq!(of(&runtime, "stamp", "version"), (1, 0));
    assert_eq!(of(&runtime, "stamp", "give_up"), (1, 1));
    let table = runtime.metrics().to_string();
    assert!(table.contains("stamp test.stamp@1.give_up"), "{table}");
}

#[test]
fn calls_of_other_bundles_are_counted_in_each_language() {
    for loader in ["lua", "js"] {
        let runtime = counting();
        let peer = Bundle::native("peer", "plugin-reload-one");
        runtime.load_bundle(peer.path()).unwrap();
        let bundle = twice(loader);
        let id = runtime.load_bundle(bundle.path()).unwrap();
        let proxy = runtime.proxy_from::<dyn Stamp>(id).unwrap();
        assert_eq!(proxy.version(), Ok(2));
        assert!(matches!(proxy.give_up("enough"), Err(CallError::Exception(_))));
        assert_eq!(of(&runtime, "twice", "version"), (1, 0));
        assert_eq!(of(&runtime, "twice", "give_up"), (1, 1));
        assert_eq!(of(&runtime, "peer", "add"), (2, 0));
    }
    let runtime = counting();
    let calc = Bundle::native("calc", "plugin-calc");
    runtime.load_bundle(calc.path()).unwrap();
    let caller = Bundle::native("caller", "plugin-caller");
    let needs = "[[dependency]]\ncontract = \"test.counter@1\"\n";
    caller.write("manifest.toml", manifest("caller", "native", "plugin") + needs);
    let id = runtime.load_bundle(caller.path()).unwrap();
    assert_eq!(runtime.proxy_from::<dyn Caller>(id).unwrap().count(5), Ok(Ok(5)));
    assert_eq!(of(&runtime, "caller", "count"), (1, 0));
}

#[test]
fn a_reload_goes_on_with_the_counts_and_an_unload_ends_them() {
    let runtime = counting();
    let one = Bundle::native("reloaded", "plugin-reload-one");
    let two = Bundle::native("reloaded", "plugin-reload-two");
    runtime.load_bundle(one.path()).unwrap();
    let counter = runtime.proxy::<dyn Counter>().unwrap();
    counter.add(1).unwrap();
    runtime.reload_bundle(two.path()).unwrap();
    counter.add(1).unwrap();
    assert_eq!(of(&runtime, "reloaded", "add"), (2, 0));
    drop(counter);
    runtime.unload_bundle(BundleId::new("reloaded")).unwrap();
    assert_eq!(runtime.quiesce(Duration::from_secs(10)), []);
    assert_eq!(runtime.metrics().methods, []);
}

#[test]
fn nothing_is_counted_unless_the_host_wants_it() {
    let runtime = builder().build().unwrap();
    let bundle = Bundle::native("calc", "plugin-calc");
    runtime.load_bundle(bundle.path()).unwrap();
    runtime.proxy::<dyn Counter>().unwrap().add(1).unwrap();
    assert_eq!(runtime.metrics().methods, []);
}

#[test]
fn many_threads_count_together() {
    let runtime = counting();
    let bundle = Bundle::native("calc", "plugin-calc");
    runtime.load_bundle(bundle.path()).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let counter = runtime.proxy::<dyn Counter>().unwrap();
            scope.spawn(move || (0..1000).for_each(|_| assert!(counter.add(1).is_ok())));
        }
    });
    let methods = runtime.metrics().methods;
    let added = methods.iter().find(|each| each.contract == "test.counter@1").unwrap();
    assert_eq!((added.calls, added.latency.count()), (4000, 4000));
}

/// A subscriber that keeps the spans of calls, each with those around it.
#[derive(Clone, Default)]
struct Spans {
    known: Arc<Mutex<HashMap<u64, String>>>,
    entered: Arc<Mutex<Vec<String>>>,
    next: Arc<AtomicU64>,
}

thread_local! {
    static STACK: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

#[derive(Default)]
struct Fields(HashMap<&'static str, String>);

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}

impl Subscriber for Spans {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "polyplug::call"
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut fields = Fields::default();
        span.record(&mut fields);
        let id = self.next.fetch_add(1, Ordering::Relaxed) + 1;
        let [bundle, contract, method] = ["bundle", "contract", "method"].map(|name| fields.0[name].clone());
        self.known.lock().unwrap().insert(id, format!("{bundle} {contract}.{method}"));
        Id::from_u64(id)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {}

    fn enter(&self, span: &Id) {
        let path = STACK.with_borrow_mut(|stack| {
            stack.push(span.into_u64());
            let known = self.known.lock().unwrap();
            stack.iter().map(|id| known[id].clone()).collect::<Vec<_>>().join(" > ")
        });
        self.entered.lock().unwrap().push(path);
    }

    fn exit(&self, span: &Id) {
        STACK.with_borrow_mut(|stack| assert_eq!(stack.pop(), Some(span.into_u64())));
    }
}

#[test]
fn a_call_within_a_call_is_a_span_within_a_span() {
    let spans = Spans::default();
    tracing::subscriber::with_default(spans.clone(), || {
        for loader in ["lua", "js"] {
            let runtime = builder().call_spans(true).build().unwrap();
            let peer = Bundle::native("peer", "plugin-reload-one");
            runtime.load_bundle(peer.path()).unwrap();
            let bundle = twice(loader);
            let id = runtime.load_bundle(bundle.path()).unwrap();
            spans.entered.lock().unwrap().clear();
            assert_eq!(runtime.proxy_from::<dyn Stamp>(id).unwrap().version(), Ok(2));
            let inner = "twice test.stamp@1.version > peer test.counter@1.add";
            assert_eq!(*spans.entered.lock().unwrap(), ["twice test.stamp@1.version", inner, inner]);
            assert_eq!(runtime.metrics().methods, [], "counting is a setting of its own");
        }
        spans.entered.lock().unwrap().clear();
        let runtime = builder().build().unwrap();
        let bundle = Bundle::native("calc", "plugin-calc");
        runtime.load_bundle(bundle.path()).unwrap();
        runtime.proxy::<dyn Counter>().unwrap().add(1).unwrap();
        assert_eq!(*spans.entered.lock().unwrap(), Vec::<String>::new(), "a call is no span unless the host wants it");
    });
}

#[test]
fn spans_that_nobody_wants_change_nothing() {
    let runtime = builder().call_spans(true).build().unwrap();
    let bundle = Bundle::native("calc", "plugin-calc");
    runtime.load_bundle(bundle.path()).unwrap();
    assert_eq!(runtime.proxy::<dyn Counter>().unwrap().add(1), Ok(1));
}
