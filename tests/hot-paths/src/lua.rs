//! Calls of a plugin in Lua, beside mlua and beside the C API under one protected call.

use std::hint::black_box;

use polyplug_lua::{LuaLoader, mlua};

use crate::bundle::{self, NAME};
use crate::counted::Side::{Floor, Ours};
use crate::counted::count;
use crate::script;

#[path = "../../benches/lua/raw.rs"]
mod raw;

use raw::Raw;

const CALLS: u32 = 1000;

/// The number of calls that take long each.
const FEW: u32 = 50;

/// Runs the calls.
pub(crate) fn run() {
    let code = include_str!("../../benches/lua/calculator.lua");
    let (_runtime, calc) = script::load(LuaLoader::new(), "lua", "main.lua", code);
    let lua = mlua::Lua::new();
    let by_hand: mlua::Table = lua.load(include_str!("../../benches/lua/by_hand.lua")).eval().expect("the code runs");
    let function = |name: &str| by_hand.get::<mlua::Function>(name).expect("it has it");
    let (add, greet, sum) = (function("add"), function("greet"), function("sum"));
    let raw = Raw::new();
    assert_eq!(raw.add(2, 3), 5);
    let data = bundle::data();

    count("lua add", Ours, CALLS, || calc.add(black_box(2), black_box(3)).expect("it answers"));
    count("lua add", Floor, CALLS, || add.call::<i32>((black_box(2), black_box(3))).expect("it answers"));
    count("lua add, beside lua_pcall", Ours, CALLS, || calc.add(black_box(2), black_box(3)).expect("it answers"));
    count("lua add, beside lua_pcall", Floor, CALLS, || raw.add(black_box(2), black_box(3)));
    count("lua greet", Ours, CALLS, || calc.greet(black_box(NAME)).expect("it answers"));
    count("lua greet", Floor, CALLS, || greet.call::<String>(black_box(NAME)).expect("it answers"));
    count("lua sum", Ours, FEW, || calc.sum(black_box(&data)).expect("it answers"));
    count("lua sum", Floor, FEW, || {
        let data = lua.create_string(black_box(&data)).expect("a string");
        sum.call::<u64>(data).expect("it answers")
    });
}
