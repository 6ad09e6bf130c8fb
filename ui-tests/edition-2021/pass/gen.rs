//! A name that is a keyword in edition 2024, which is that of the macros.

#![deny(warnings)]
#![allow(non_camel_case_types)]

#[polyplug::contract(name = "pass.gen", version = "1.0")]
trait Generator {
    fn gen(&self, gen: &Seed) -> gen;
}

#[derive(Debug, Clone, PartialEq, polyplug::Type)]
struct Seed {
    gen: u64,
}

#[derive(Debug, Clone, PartialEq, polyplug::Type)]
enum gen {
    gen,
    other { gen: u64 },
}

#[derive(Default)]
struct Plugin;

#[polyplug::plugin]
impl Generator for Plugin {
    fn gen(&self, gen: &Seed) -> self::gen {
        match gen.gen {
            0 => self::gen::gen,
            gen => self::gen::other { gen },
        }
    }
}

fn main() {
    let runtime = polyplug::Runtime::builder().build().unwrap();
    runtime.load_linked_plugins().unwrap();
    let generator = runtime.proxy::<dyn Generator>().unwrap();
    assert_eq!(generator.gen(&Seed { gen: 0 }).unwrap(), gen::gen);
    assert_eq!(generator.gen(&Seed { gen: 1 }).unwrap(), gen::other { gen: 1 });
    let schema = (<dyn Generator as polyplug::Contract>::info().schema)();
    assert_eq!(schema.methods[0].name, "gen");
}
