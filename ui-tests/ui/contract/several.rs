#[polyplug::contract(nam = "demo.calculator", version = "1")]
pub trait Calculator: Clone {
    const LIMIT: i32;
    fn add<T>(&mut self, a: T, b: usize) -> &str;
    async fn sub(self, a: *const i32, b: Option<&str>);
    fn add(&self);
}

fn main() {}
