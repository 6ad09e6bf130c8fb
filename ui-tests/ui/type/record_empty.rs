#[derive(polyplug::Type)]
pub struct Nothing {}

fn main() {}
