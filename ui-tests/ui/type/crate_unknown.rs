#[derive(polyplug::Type)]
#[polyplug(crate = nowhere)]
pub struct Point {
    pub x: f64,
}

fn main() {}
