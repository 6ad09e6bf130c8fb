#[derive(polyplug::Type)]
pub struct Name<'a> {
    pub text: &'a str,
}

fn main() {}
