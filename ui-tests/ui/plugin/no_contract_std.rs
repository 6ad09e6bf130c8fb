#[derive(Default)]
pub struct Basic;

#[polyplug::plugin]
impl std::fmt::Display for Basic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("basic")
    }
}

fn main() {}
