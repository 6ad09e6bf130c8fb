//! Constants, functions, modules and types of the author's do not get in the way of the expansions.

#![deny(warnings)]
#![allow(dead_code, non_camel_case_types, non_upper_case_globals, unused_macros)]

mod core {}
mod std {}
mod polyplug {}
mod inventory {}
mod __private {}

struct error;
struct host;
struct instance;
struct args;
struct f;
struct raw;
struct to;
struct types;
const out: u8 = 0;
const arena: u8 = 0;
static out_err: u8 = 0;
const context: u8 = 0;

fn describe() {}
fn lower() {}
fn lift() {}
fn serve() {}
fn create() {}

macro_rules! vec {
    ($($any:tt)*) => {
        compile_error!("this is not the macro that was meant")
    };
}
macro_rules! env {
    ($($any:tt)*) => {
        compile_error!("this is not the macro that was meant")
    };
}
macro_rules! submit {
    ($($any:tt)*) => {
        compile_error!("this is not the macro that was meant")
    };
}
macro_rules! offset_of {
    ($($any:tt)*) => {
        compile_error!("this is not the macro that was meant")
    };
}

#[::polyplug::contract(name = "pass.item_names", version = "1.0")]
trait Names {
    fn sum(&self, values: &[Pair], extra: Extra) -> i64;
}

#[derive(::polyplug::Type)]
struct Pair {
    first: i64,
    second: i64,
}

#[derive(::polyplug::Type)]
enum Extra {
    Nothing,
    Number(i64),
}

struct Plugin;

fn make(_: &::polyplug::PluginContext) -> Result<Plugin, String> {
    Ok(Plugin)
}

#[::polyplug::plugin(create = make, name = "plugin")]
impl Names for Plugin {
    fn sum(&self, values: &[Pair], extra: Extra) -> i64 {
        let sum: i64 = values.iter().map(|pair| pair.first + pair.second).sum();
        match extra {
            Extra::Nothing => sum,
            Extra::Number(number) => sum + number,
        }
    }
}

fn main() {
    let runtime = ::polyplug::Runtime::builder().build().unwrap();
    runtime.load_linked_plugins().unwrap();
    let names = runtime.proxy::<dyn Names>().unwrap();
    assert_eq!(names.sum(&[Pair { first: 1, second: 2 }], Extra::Nothing).unwrap(), 3);
    assert_eq!(names.sum(&[Pair { first: 1, second: 2 }], Extra::Number(4)).unwrap(), 7);
}
