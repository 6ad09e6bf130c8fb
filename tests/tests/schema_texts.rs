//! Schemas as texts for people and tools: JSON and WIT.

use polyplug::schema::Schema;
use test_contracts::types::{Borrowed, Types};
use test_contracts_new::Evolving;

#[test]
fn as_json() {
    let text = serde_json::to_string_pretty(&Schema::of::<dyn Evolving>().to_json()).unwrap();
    insta::assert_snapshot!("evolving.json", text);
}

#[test]
fn as_wit() {
    insta::assert_snapshot!("evolving.wit", Schema::of::<dyn Evolving>().to_wit());
    insta::assert_snapshot!("types.wit", Schema::of::<dyn Types>().to_wit());
    insta::assert_snapshot!("borrowed.wit", Schema::of::<dyn Borrowed>().to_wit());
}
