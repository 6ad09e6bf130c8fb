#[polyplug::contract(name = "demo.store", version = "1.0")]
pub trait Store {
    fn open(&self, name: &str) -> Result<u64, Box<dyn std::error::Error>>;
}

fn main() {}
