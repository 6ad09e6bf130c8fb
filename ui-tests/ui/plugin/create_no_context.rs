#[polyplug::contract(name = "demo.calculator", version = "1.0")]
pub trait Calculator {
    fn add(&self, a: i32, b: i32) -> i32;
}

pub struct Basic;

impl Basic {
    pub fn new() -> Result<Self, String> {
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
