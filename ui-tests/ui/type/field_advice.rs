#[derive(polyplug::Type)]
pub struct Entry {
    pub path: std::path::PathBuf,
    pub since: Option<std::time::Duration>,
}

fn main() {}
