//! Values that are lowered and lifted are unchanged, or refused; and damaged memory is refused.

#![no_main]

use libfuzzer_sys::fuzz_target;
use polyplug::__private::Lowered;
use polyplug::Value;
use polyplug::schema::plan::Plan;
use polyplug::schema::{Schema, TypeRef};

#[path = "../../tests/src/damage.rs"]
mod damage;
#[path = "../../tests/src/error_path.rs"]
mod error_path;
#[path = "../../tests/src/generate.rs"]
mod generate;

use error_path::error_path;
use generate::Source;

/// The number of places at which a value is damaged, of all that it has.
const MOST_DAMAGES: usize = 256;

fuzz_target!(|bytes: &[u8]| {
    let mut source = Source::new(bytes);
    let schema = generate::schema(&mut source);
    // Types within types may have become too large.
    if Schema::decode(&schema.encode()).is_err() {
        return;
    }
    let plan = Plan::new(&schema);
    for (number, method) in schema.methods.iter().enumerate() {
        let node = plan.method(number).result;
        let value = generate::value(&mut source, &schema, &method.result, 5);
        there_and_back(&schema, &plan, node, &value);
        // A value of another type, which may be a value of this type as well.
        let other = any_type(&mut source, &schema);
        let other = generate::value(&mut source, &schema, &other, 3);
        if let Ok(form) = Lowered::lower(&schema, &plan, node, &other) {
            // SAFETY: the memory was lowered above, and not changed since.
            unsafe { form.lift() }.expect("what was lowered is a value");
        }
    }
});

fn there_and_back(schema: &Schema, plan: &Plan, node: polyplug::schema::plan::NodeId, value: &Value) {
    let form = Lowered::lower(schema, plan, node, value).expect("a value of the type");
    // SAFETY: the memory was lowered above, and not changed since.
    let lifted = unsafe { form.lift() }.expect("what was lowered is a value");
    // A NaN is not equal to itself, but its text is. Maps keep their order here.
    assert_eq!(format!("{lifted:?}"), format!("{value:?}"));
    // SAFETY: a valid value, in memory that only this function uses.
    let damages = unsafe { damage::damages(schema, plan, node, form.start()) };
    // Each lifts the value once more, so a large value is not damaged everywhere.
    let step = damages.len().div_ceil(MOST_DAMAGES).max(1);
    for damage in damages.into_iter().step_by(step) {
        // SAFETY: the memory is as it was at the search, because each `Damage` undoes its change.
        let error = unsafe { damage.during(|| form.lift()) }.expect_err("it is damaged").to_string();
        assert!(error.contains(&damage.reason), "{}: {error}", error_path(&damage.path));
        if !damage.path.is_empty() {
            assert!(error.starts_with(&format!("{}: ", error_path(&damage.path))), "{}: {error}", error_path(&damage.path));
        }
    }
}

/// Returns the type of an argument somewhere in the schema.
fn any_type(source: &mut Source<'_>, schema: &Schema) -> TypeRef {
    let arguments: Vec<_> = schema.methods.iter().flat_map(|method| &method.arguments).collect();
    match arguments.len() {
        0 => TypeRef::String,
        count => arguments[source.below(count)].ty.clone(),
    }
}
