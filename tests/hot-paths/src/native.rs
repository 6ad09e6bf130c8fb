//! Calls of a native plugin, and the look-ups before one.

use std::hint::black_box;
use std::sync::Arc;

use plugin_floor::by_hand::Greeter;
use polyplug::{Contract, Runtime, Value};
use polyplug_native::NativeLoader;
use test_contracts::{Calculator, Counter};

use crate::bundle::{self, NAME};
use crate::counted::Side::{Floor, Ours};
use crate::counted::count;

const CALLS: u32 = 1000;

/// Runs the calls.
pub(crate) fn run() {
    // SAFETY: the library is a fixture of this repository, without initialisers.
    let floor = unsafe { libloading::Library::new(bundle::library("plugin-floor")) }.expect("the fixture opens");
    // SAFETY: the fixture exports the function with this type.
    let add = *unsafe { floor.get::<extern "C" fn(i32, i32) -> i32>(b"floor_add\0") }.expect("the fixture has it");
    // SAFETY: the library is the fixture that the greeter is for.
    let greeter =
        unsafe { Greeter::of(|name| floor.get::<*const ()>(name).map(|symbol| *symbol).ok()) }.expect("the same");
    let data = bundle::data();

    let folder = bundle::native("plugin-calc");
    let runtime = Runtime::builder().loader(NativeLoader::new()).build().expect("one loader has no rival");
    runtime.load_bundle(folder.path()).expect("the fixture loads");
    let calc = runtime.proxy::<dyn Calculator>().expect("the fixture provides it");
    bundle::check(&calc);
    assert_eq!(greeter.greet(NAME).as_deref(), Some("Hello, sixteen letters!!"));

    count("native add", Ours, CALLS, || calc.add(black_box(2), black_box(3)).expect("it answers"));
    count("native add", Floor, CALLS, || add(black_box(2), black_box(3)));
    count("native greet", Ours, CALLS, || calc.greet(black_box(NAME)).expect("it answers"));
    count("native greet", Floor, CALLS, || greeter.greet(black_box(NAME)));
    count("native greet, beside one program", Ours, CALLS, || calc.greet(black_box(NAME)).expect("it answers"));
    count("native greet, beside one program", Floor, CALLS, || plugin_floor::greet(black_box(NAME)));
    count("native sum", Ours, CALLS, || calc.sum(black_box(&data)).expect("it answers"));
    count("native sum", Floor, CALLS, || plugin_floor::sum(black_box(&data)));
    let words = "wörter ".repeat(600);
    assert_eq!(calc.greet(&words), Ok(plugin_floor::greet(&words)));
    count("native greet of 4,800 bytes", Ours, CALLS, || calc.greet(black_box(&words)).expect("it answers"));
    count("native greet of 4,800 bytes", Floor, CALLS, || greeter.greet(black_box(&words)));
    by_name(&runtime);
    look_ups(&runtime);
    after_a_reload();
}

fn by_name(runtime: &Runtime) {
    let calc = runtime.dynamic("demo.calculator@1").expect("the fixture has a schema");
    let numbers = [Value::from(2), Value::from(3)];
    let name = [Value::from(NAME)];
    assert_eq!(calc.call("add", &numbers), Ok(Value::from(5)));
    assert!(calc.call("greet", &name).is_ok());
    count("native add by name", Ours, CALLS, || calc.call("add", black_box(&numbers)).expect("it answers"));
    let add = runtime.method("demo.calculator@1", "add").expect("the fixture has it");
    count("native add by a method found once", Ours, CALLS, || add.call(black_box(&numbers)).expect("it answers"));
    count("native greet by name", Ours, CALLS, || calc.call("greet", black_box(&name)).expect("it answers"));
}

fn look_ups(runtime: &Arc<Runtime>) {
    let id = <dyn Calculator>::ID.id();
    let handle = runtime.find_guest_contract(id, 0).expect("the fixture provides it");
    count("find", Ours, CALLS, || runtime.find_guest_contract(black_box(id), 0).expect("it serves"));
    let guard = crossbeam_epoch::pin();
    count("find inside a pin", Ours, CALLS, || runtime.find_guest_contract(black_box(id), 0).expect("it serves"));
    count("resolve inside a pin", Ours, CALLS, || {
        runtime.resolve_guest_contract(black_box(handle)).expect("it serves")
    });
    drop(guard);
    count("proxy of a stateless plugin, made and dropped", Ours, CALLS, || {
        runtime.proxy::<dyn Calculator>().expect("provided")
    });
    count("proxy with an instance, made and dropped", Ours, CALLS, || {
        runtime.proxy::<dyn Counter>().expect("provided")
    });
}

/// Calls by a proxy that was made before a reload, and is not refreshed.
fn after_a_reload() {
    let folder = bundle::native("plugin-calc");
    let builder = Runtime::builder().loader(NativeLoader::new()).hot_reload(true);
    let runtime = builder.build().expect("one loader has no rival");
    runtime.load_bundle(folder.path()).expect("the fixture loads");
    let calc = runtime.proxy::<dyn Calculator>().expect("the fixture provides it");
    runtime.reload_bundle(folder.path()).expect("it reloads");
    bundle::check(&calc);
    count("native add after a reload", Ours, CALLS, || calc.add(black_box(2), black_box(3)).expect("it answers"));
}
