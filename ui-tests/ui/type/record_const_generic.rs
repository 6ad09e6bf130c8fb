#[derive(polyplug::Type)]
pub struct Block<const N: usize> {
    pub bytes: Vec<u8>,
}

fn main() {}
