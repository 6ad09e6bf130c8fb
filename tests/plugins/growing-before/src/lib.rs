//! A plugin with a copy of its contract as it was before it grew. It depends on nothing that has changed since.

use polyplug::Type;

/// Version 1.0 of the contract that hosts know as `test_contracts_growing::v1_3::Small`.
#[polyplug::contract(name = "test.small-3", version = "1.0")]
trait Small {
    fn echo(&self, item: &Item) -> Item;
    fn make(&self, id: u64) -> Item;
    fn turn(&self, items: Vec<Item>) -> Vec<Item>;
    fn mood(&self) -> Mood;
    fn colour(&self) -> Colour;
}

#[derive(Debug, Clone, PartialEq, Type)]
struct Item {
    id: u64,
    name: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Type)]
enum Mood {
    Calm,
    Strange,
}

#[derive(Debug, Clone, Copy, PartialEq, Type)]
enum Colour {
    Red,
    Green,
}

#[derive(Default)]
struct Before;

#[polyplug::plugin]
impl Small for Before {
    fn echo(&self, item: &Item) -> Item {
        item.clone()
    }

    fn make(&self, id: u64) -> Item {
        Item { id, name: format!("item {id}") }
    }

    fn turn(&self, mut items: Vec<Item>) -> Vec<Item> {
        items.reverse();
        items
    }

    fn mood(&self) -> Mood {
        Mood::Strange
    }

    fn colour(&self) -> Colour {
        Colour::Green
    }
}
