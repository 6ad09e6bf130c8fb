//! The plugin, for stabby.

use stabby::boxed::Box;
use stabby::slice::Slice;
use stabby::str::Str;
use stabby::string::String;
use stabby_interface::{BoxedCalculator, Calculator};

#[stabby::stabby]
struct Basic(u8);

impl Calculator for Basic {
    extern "C" fn add(&self, a: i32, b: i32) -> i32 {
        a.wrapping_add(b)
    }

    extern "C" fn greet<'a>(&self, name: Str<'a>) -> String {
        let mut text = String::from("Hello, ");
        text += &name;
        text += "!";
        text
    }

    extern "C" fn sum<'a>(&self, data: Slice<'a, u8>) -> u64 {
        data.iter().map(|byte| u64::from(*byte)).sum()
    }
}

#[stabby::export]
pub extern "C" fn calculator() -> BoxedCalculator {
    Box::new(Basic(0)).into()
}
