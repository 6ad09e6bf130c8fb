#[derive(polyplug::Type)]
#[polyplug(rename = "point")]
pub struct Point {
    pub x: f64,
}

fn main() {}
