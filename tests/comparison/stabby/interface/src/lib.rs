//! The interface of the plugin, for stabby.

use stabby::boxed::Box;
use stabby::slice::Slice;
use stabby::str::Str;
use stabby::string::String;

#[stabby::stabby(checked)]
pub trait Calculator {
    extern "C" fn add(&self, a: i32, b: i32) -> i32;
    extern "C" fn greet<'a>(&self, name: Str<'a>) -> String;
    extern "C" fn sum<'a>(&self, data: Slice<'a, u8>) -> u64;
}

pub type BoxedCalculator = stabby::dynptr!(Box<dyn Calculator>);
