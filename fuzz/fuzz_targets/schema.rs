//! Bytes that plugins and bundles hand over as schemas: any bytes decode to a schema or an error.

#![no_main]

use libfuzzer_sys::fuzz_target;
use polyplug::schema::Schema;
use polyplug::schema::plan::Plan;

// This target does not use all of the module's functions.
#[allow(dead_code)]
#[path = "../../tests/src/generate.rs"]
mod generate;

use generate::Source;

fuzz_target!(|bytes: &[u8]| {
    read(bytes);
    // Most bytes are not a schema, so one is made of them as well, and then damaged.
    let mut source = Source::new(bytes);
    let mut encoded = generate::schema(&mut source).encode();
    for _ in 0..source.below(8) {
        let place = (source.below(256) * 256 + source.below(256)) % encoded.len();
        match source.below(3) {
            0 => encoded[place] = source.below(256) as u8,
            1 => drop(encoded.drain(place..)),
            _ => encoded.insert(place, source.below(256) as u8),
        }
        if encoded.is_empty() {
            break;
        }
    }
    read(&encoded);
});

fn read(bytes: &[u8]) {
    let Ok(schema) = Schema::decode(bytes) else { return };
    let again = Schema::decode(&schema.encode()).expect("what was decoded can be encoded");
    assert_eq!(again, schema);
    assert!(schema.differences(&schema).is_empty());
    let plan = Plan::new(&schema);
    assert_eq!(plan.methods().len(), schema.methods.len());
    assert!(!schema.to_wit().is_empty());
}
