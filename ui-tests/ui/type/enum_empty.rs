#[derive(polyplug::Type)]
pub enum Nothing {}

fn main() {}
