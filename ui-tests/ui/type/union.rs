#[derive(polyplug::Type)]
pub union Number {
    pub integer: u32,
    pub float: f32,
}

fn main() {}
