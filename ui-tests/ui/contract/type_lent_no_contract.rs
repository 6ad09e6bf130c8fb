pub trait Progress {
    fn report(&self, done: f64);
}

#[polyplug::contract(name = "demo.importer", version = "1.0")]
pub trait Importer {
    fn import(&self, path: &str, progress: &dyn Progress);
}

fn main() {}
