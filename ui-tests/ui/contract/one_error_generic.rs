use polyplug::Runtime;

#[polyplug::contract(name = "demo.calculator", version = "1.0")]
pub trait Calculator {
    fn add<T: Into<i32>>(&self, a: T) -> i32;
    fn answer(&self) -> i32;
}

#[derive(Default)]
struct Basic;

#[polyplug::plugin]
impl Calculator for Basic {
    fn add<T: Into<i32>>(&self, a: T) -> i32 {
        a.into()
    }
    fn answer(&self) -> i32 {
        42
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let calculator: CalculatorProxy = Runtime::builder().build()?.proxy::<dyn Calculator>()?;
    calculator.answer()?;
    Ok(())
}
