#[derive(polyplug::Type)]
#[polyplug]
pub struct Point {
    pub x: f64,
}

fn main() {}
