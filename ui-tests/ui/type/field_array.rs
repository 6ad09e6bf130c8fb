#[derive(polyplug::Type)]
pub enum Shape {
    Line([f64; 2]),
}

fn main() {}
