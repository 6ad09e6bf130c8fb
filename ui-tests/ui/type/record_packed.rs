#[derive(polyplug::Type)]
#[repr(C, packed)]
pub struct Point {
    pub x: u8,
    pub y: u32,
}

fn main() {}
