#[derive(polyplug::Type)]
#[polyplug(crate = polyplug)]
#[polyplug(crate = polyplug)]
pub struct Point {
    pub x: f64,
}

fn main() {}
