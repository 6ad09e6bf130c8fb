//! Nothing in the expansions relies on the prelude.

#![no_implicit_prelude]
#![deny(warnings)]

use ::std::clone::Clone;
use ::std::convert::{From, Into};

#[::polyplug::contract(name = "pass.no_prelude", version = "1.1")]
trait Shop {
    fn price(&self, of: ::std::string::String, count: u32) -> ::std::option::Option<u64>;
    fn total(&self, items: &[Item], named: &str) -> ::std::result::Result<u64, Refusal>;
    fn list(&self) -> ::std::vec::Vec<Item>;
    #[contract(since = "1.1")]
    fn colour(&self, item: &Item) -> Colour;
}

#[derive(::std::clone::Clone, ::std::fmt::Debug, ::std::cmp::PartialEq, ::polyplug::Type)]
struct Item {
    name: ::std::string::String,
    price: u64,
}

#[derive(::std::clone::Clone, ::std::marker::Copy, ::std::fmt::Debug, ::std::cmp::PartialEq, ::polyplug::Type)]
enum Colour {
    Red,
    Green,
}

#[derive(::std::fmt::Debug, ::std::cmp::PartialEq, ::polyplug::Type)]
enum Refusal {
    Closed,
    Unknown(::std::string::String),
    TooMany { asked: u32, left: u32 },
}

#[derive(::std::default::Default)]
struct Corner;

#[::polyplug::plugin]
impl Shop for Corner {
    fn price(&self, of: ::std::string::String, count: u32) -> ::std::option::Option<u64> {
        if of.is_empty() { ::std::option::Option::None } else { ::std::option::Option::Some(u64::from(count) * 2) }
    }

    fn total(&self, items: &[Item], named: &str) -> ::std::result::Result<u64, Refusal> {
        if named.is_empty() {
            return ::std::result::Result::Err(Refusal::Closed);
        }
        let mut sum = 0;
        for item in items {
            if item.name == named {
                sum += item.price;
            }
        }
        if sum == 0 {
            return ::std::result::Result::Err(Refusal::Unknown(::std::string::String::from(named)));
        }
        if items.len() > 2 {
            return ::std::result::Result::Err(Refusal::TooMany { asked: 3, left: 2 });
        }
        ::std::result::Result::Ok(sum)
    }

    fn list(&self) -> ::std::vec::Vec<Item> {
        ::std::vec![Item { name: ::std::string::String::from("bread"), price: 3 }]
    }

    fn colour(&self, item: &Item) -> Colour {
        if item.price > 2 { Colour::Red } else { Colour::Green }
    }
}

fn main() {
    use ::std::iter::IntoIterator;
    use ::std::result::Result::{Err, Ok};
    use ::std::{assert_eq, vec};

    let runtime = ::polyplug::Runtime::builder().build().unwrap();
    runtime.load_linked_plugins().unwrap();
    let shop = runtime.proxy::<dyn Shop>().unwrap();
    assert_eq!(shop.price("bread".into(), 4).unwrap(), ::std::option::Option::Some(8));
    let bread = Item { name: ::std::string::String::from("bread"), price: 3 };
    assert_eq!(shop.list().unwrap(), vec![bread.clone()]);
    assert_eq!(shop.total(&[bread.clone()], "bread").unwrap(), Ok(3));
    assert_eq!(shop.total(&[], "").unwrap(), Err(Refusal::Closed));
    assert_eq!(shop.total(&[], "salt").unwrap(), Err(Refusal::Unknown("salt".into())));
    let loaves = [bread.clone(), bread.clone(), bread.clone()];
    assert_eq!(shop.total(&loaves, "bread").unwrap(), Err(Refusal::TooMany { asked: 3, left: 2 }));
    for (item, colour) in [(&bread, Colour::Red), (&Item { name: "salt".into(), price: 1 }, Colour::Green)].into_iter() {
        assert_eq!(shop.colour(item).unwrap(), colour);
    }
}
