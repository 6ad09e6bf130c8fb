use std::borrow::Cow;
use std::collections::HashSet;
use std::ffi::OsString;
use std::net::IpAddr;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

#[polyplug::contract(name = "demo.all", version = "1.0")]
pub trait All {
    fn path(&self, path: PathBuf) -> Option<PathBuf>;
    fn wait(&self, time: Duration);
    fn words(&self) -> HashSet<String>;
    fn time(&self) -> SystemTime;
    fn instant(&self, at: &Instant);
    fn rc(&self, text: Rc<str>);
    fn arc(&self) -> Arc<Vec<u8>>;
    fn cow(&self) -> Cow<'static, str>;
    fn os(&self, name: &OsString);
    fn address(&self, address: IpAddr);
    fn io(&self) -> std::io::Result<u64>;
    fn error(&self) -> Result<u64, std::io::Error>;
}

fn main() {}
