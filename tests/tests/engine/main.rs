//! What all engines have in common, with one that can be made to do anything.

mod calls;
mod deadlock;
mod ends;
mod instances;
mod loading;
mod low_level;
mod others;
mod reloading;
mod shared;
mod values;
mod workers;

use std::sync::Arc;

use polyplug::{BundleId, Runtime};
use polyplug_tests::engine::{Class, Code, Raise, Toy, ToyLoader};

/// Contracts that plugins of several bundles implement, who call each other.
macro_rules! rings {
    ($($name:literal $trait:ident),*) => {$(
        #[polyplug::contract(name = $name, version = "1.0")]
        pub(crate) trait $trait {
            /// Looks for the peers.
            fn connect(&self);
            /// Walks on through the peers.
            fn walk(&self, steps: u32, seed: u64) -> u32;
        }
    )*};
}

rings!("test.ring_a" RingA, "test.ring_b" RingB, "test.ring_c" RingC, "test.ring_d" RingD);

/// A calculator that adds, and does the rest wrong.
fn calculator() -> Class {
    Class::new("demo.calculator@1")
        .method("add", |call| Ok(Toy::Int(call.arguments[0].int() + call.arguments[1].int())))
        .method("divide", |call| match (call.arguments[0].int(), call.arguments[1].int()) {
            (_, 0) => Err(Raise::Declared(Toy::map([("tag", "DivisionByZero".into())]))),
            (at, -1) if at == i128::from(i64::MIN) => {
                Err(Raise::Declared(Toy::map([("tag", "Overflow".into()), ("val", Toy::map([("at", at.into())]))])))
            }
            (a, b) => Ok(Toy::Int(a / b)),
        })
        .method("greet", |call| {
            let Toy::Text(name) = &call.arguments[0] else { return Err("text is expected".into()) };
            Ok(Toy::text(format!("Hello, {name}!")))
        })
        .method("sum", |call| {
            let Toy::Bytes(data) = &call.arguments[0] else { return Err("bytes are expected".into()) };
            Ok(Toy::Int(data.iter().map(|byte| i128::from(*byte)).sum()))
        })
}

/// A runtime with a bundle of one plugin.
fn loaded(class: Class) -> (ToyLoader, Arc<Runtime>, BundleId) {
    let loader = ToyLoader::new();
    let runtime = loader.runtime();
    let id = loader.load(&runtime, "toy", "", declaring(class)).unwrap();
    (loader, runtime, id)
}

/// A program that declares a plugin.
fn declaring(class: Class) -> impl Fn(&mut Code<'_>) -> Result<(), Raise> + Send + Sync + 'static {
    move |code| {
        code.declare(class.clone());
        Ok(())
    }
}
