#[derive(polyplug::Type)]
pub enum Shape {
    Dot,
    #[contract(other)]
    Circle { radius: f64 },
}

fn main() {}
