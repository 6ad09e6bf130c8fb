#[derive(Default)]
pub struct Basic;

#[polyplug::plugin]
impl Basic {
    pub fn add(&self, a: i32, b: i32) -> i32 {
        a + b
    }
}

fn main() {}
