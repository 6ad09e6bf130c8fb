#[polyplug::contract(name = "demo.counter", version = "1.0")]
trait Counter {
    fn next(&self) -> u64;
}

#[derive(Default)]
struct Count;

struct Unfit;

fn healthy(_: &polyplug::PluginContext) -> Result<(), Unfit> {
    Err(Unfit)
}

#[polyplug::plugin(health = healthy)]
impl Counter for Count {
    fn next(&self) -> u64 {
        1
    }
}

fn main() {}
