#[derive(polyplug::Type)]
#[polyplug(crate = "renamed")]
pub struct Point {
    pub x: f64,
}

fn main() {}
