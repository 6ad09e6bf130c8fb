//! A plugin built against version 1.3 of a contract that grows.

test_contracts_growing::implement! {
    v1_3 for Growing13,
    item { note: Some("three".to_owned()), count: 3, tags: vec![], place: Place { x: 5, y: 6, label: None } }
    mood Tired
    colour Violet
    shape { Shape::Group(vec![Shape::Dot, Shape::Circle { radius: 1.0 }]) }
    trouble { Trouble::Gone }
    methods {
        fn count(&self, items: &[Item]) -> u32 {
            items.iter().map(|item| item.count).sum()
        }

        fn place_of(&self, item: &Item) -> Place {
            item.place.clone()
        }
    }
}
