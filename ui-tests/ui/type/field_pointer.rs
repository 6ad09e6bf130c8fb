#[derive(polyplug::Type)]
pub struct Buffer {
    pub data: *const u8,
    pub call: fn(),
}

fn main() {}
