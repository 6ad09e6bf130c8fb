#[derive(polyplug::Type)]
pub struct Size {
    pub bytes: usize,
}

fn main() {}
