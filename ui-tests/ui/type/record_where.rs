#[derive(polyplug::Type)]
pub struct Point
where
    f64: Copy,
{
    pub x: f64,
}

fn main() {}
