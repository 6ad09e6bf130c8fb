#[derive(polyplug::Type)]
pub struct Name {
    pub text: &'static str,
}

fn main() {}
