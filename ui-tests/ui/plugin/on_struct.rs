#[polyplug::plugin]
#[derive(Default)]
pub struct Basic;

fn main() {}
