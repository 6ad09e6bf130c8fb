#[derive(polyplug::Type)]
pub struct Point {
    #[polyplug(crate = polyplug)]
    pub x: f64,
}

fn main() {}
