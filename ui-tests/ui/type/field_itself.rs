#[derive(polyplug::Type)]
pub struct Tree {
    pub left: Option<Tree>,
}

fn main() {}
