#[polyplug::contract(name = "demo.counter", version = "1.0")]
trait Counter {
    fn next(&self) -> u64;
}

#[derive(Default)]
struct Count;

impl Count {
    fn healthy(_: &polyplug::PluginContext) -> bool {
        true
    }
}

#[polyplug::plugin(health = Count::healthy)]
impl Counter for Count {
    fn next(&self) -> u64 {
        1
    }
}

fn main() {}
