#[derive(polyplug::Type)]
pub struct Pair<T> {
    pub first: T,
    pub second: T,
}

fn main() {}
