#[derive(polyplug::Type)]
pub struct Names {
    pub list: Vec<&'static str>,
}

fn main() {}
