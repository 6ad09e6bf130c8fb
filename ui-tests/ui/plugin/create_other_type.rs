#[polyplug::contract(name = "demo.calculator", version = "1.0")]
pub trait Calculator {
    fn add(&self, a: i32, b: i32) -> i32;
}

pub struct Basic;

fn new(_: &polyplug::PluginContext) -> Result<u32, String> {
    Ok(1)
}

#[polyplug::plugin(create = new)]
impl Calculator for Basic {
    fn add(&self, a: i32, b: i32) -> i32 {
        a + b
    }
}

fn main() {}
