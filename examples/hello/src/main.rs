//! The shortest host: a contract, and a call of a plugin.

use polyplug::Runtime;
use polyplug_lua::LuaLoader;

/// Greets people.
#[polyplug::contract(name = "hello.greeter", version = "1.0")]
trait Greeter {
    fn greet(&self, name: &str) -> String;
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let runtime = Runtime::builder().loader(LuaLoader::new()).build()?;
    runtime.load_bundle(concat!(env!("CARGO_MANIFEST_DIR"), "/greeter"))?;
    println!("{}", runtime.proxy::<dyn Greeter>()?.greet("world")?);
    Ok(())
}
