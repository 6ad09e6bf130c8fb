//! A plugin built against version 1.2 of a contract that grows.

test_contracts_growing::implement! {
    v1_2 for Growing12,
    item { note: Some("two".to_owned()), count: 2, tags: vec!["a".to_owned(), "b".to_owned()] }
    mood Wild
    colour Blue
    shape { Shape::Square { corner: (-3, 4), item: Self::item(9) } }
    trouble { Trouble::Broken { item: Self::item(8) } }
    methods {
        fn count(&self, items: &[Item]) -> u32 {
            items.iter().map(|item| item.count).sum()
        }
    }
}
