use polyplug::Runtime;

#[polyplug::contract(name = "demo.calculator", version = "1.0")]
pub trait Calculator {
    fn add(&self, a: i32, b: i32) i32;
    fn answer(&self) -> i32;
}

#[derive(Default)]
struct Basic;

#[polyplug::plugin]
impl Calculator for Basic {
    fn add(&self, a: i32, b: i32) -> i32 {
        a + b
    }
    fn answer(&self) -> i32 {
        42
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let calculator: CalculatorProxy = Runtime::builder().build()?.proxy::<dyn Calculator>()?;
    calculator.add(1, 2)?;
    Ok(())
}
