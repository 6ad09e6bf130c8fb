#[derive(polyplug::Type)]
#[polyplug(crat = polyplug)]
pub struct Pair<'a, T> {
    pub first: &'a str,
    pub second: usize,
    pub third: [T; 2],
}

fn main() {}
