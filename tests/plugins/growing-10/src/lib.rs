//! A plugin built against version 1.0 of a contract that grows.

test_contracts_growing::implement! {
    v1_0 for Growing10,
    item {  }
    mood Strange
    colour Green
    shape { Shape::Circle { radius: 2.5 } }
    trouble { Trouble::Refused { why: "it is old".to_owned() } }
    methods {

    }
}
