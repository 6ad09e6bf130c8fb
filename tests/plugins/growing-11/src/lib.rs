//! A plugin built against version 1.1 of a contract that grows.

test_contracts_growing::implement! {
    v1_1 for Growing11,
    item { note: Some("one".to_owned()) }
    mood Wild
    colour Blue
    shape { Shape::Circle { radius: 2.5 } }
    trouble { Trouble::Refused { why: "it is older".to_owned() } }
    methods {

    }
}
