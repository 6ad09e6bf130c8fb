#[polyplug::contract(name = "demo.calculator", version = "1.0")]
pub trait Calculator {
    fn add(&self, a: i32, b: i32) -> i32;
}

pub struct Refused;

pub struct Basic;

impl Basic {
    pub fn new(_: &polyplug::PluginContext) -> Result<Self, Refused> {
        Ok(Self)
    }
}

#[polyplug::plugin(create = Basic::new)]
impl Calculator for Basic {
    fn add(&self, a: i32, b: i32) -> i32 {
        a + b
    }
}

fn main() {}
