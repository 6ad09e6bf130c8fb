//! Calls of a plugin in JavaScript, beside rquickjs.

use std::hint::black_box;

use polyplug_js::JsLoader;
use rquickjs::TypedArray;

use crate::bundle::{self, NAME};
use crate::counted::Side::{Floor, Ours};
use crate::counted::count;
use crate::js::by_hand::ByHand;
use crate::script;

#[path = "../../benches/js/by_hand.rs"]
mod by_hand;

const CALLS: u32 = 1000;

/// The number of calls that take long each.
const FEW: u32 = 5;

/// Runs the calls.
pub(crate) fn run() {
    let code = include_str!("../../benches/js/calculator.js");
    let (_runtime, calc) = script::load(JsLoader::new(), "js", "main.js", code);
    let hand = ByHand::new();
    let data = bundle::data();

    count("js add", Ours, CALLS, || calc.add(black_box(2), black_box(3)).expect("it answers"));
    count("js add", Floor, CALLS, || hand.call(&hand.add, |_, add| add.call::<_, i32>((black_box(2), black_box(3)))));
    count("js greet", Ours, CALLS, || calc.greet(black_box(NAME)).expect("it answers"));
    count("js greet", Floor, CALLS, || hand.call(&hand.greet, |_, greet| greet.call::<_, String>((black_box(NAME),))));
    count("js sum", Ours, FEW, || calc.sum(black_box(&data)).expect("it answers"));
    count("js sum", Floor, FEW, || {
        hand.call(&hand.sum, |ctx, sum| sum.call::<_, u64>((TypedArray::<u8>::new_copy(ctx, black_box(&data))?,)))
    });
}
