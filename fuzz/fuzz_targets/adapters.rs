//! Values that pass an adapter become what leaving out and filling in by hand makes of them; and damaged memory does no harm.

#![no_main]

use libfuzzer_sys::fuzz_target;
use polyplug::__private::Lowered;
use polyplug::schema::Schema;
use polyplug::schema::plan::Plan;

#[path = "../../tests/src/damage.rs"]
mod damage;
#[path = "../../tests/src/generate.rs"]
mod generate;
#[path = "../../tests/src/grow.rs"]
mod grow;

use generate::Source;

fuzz_target!(|bytes: &[u8]| {
    let mut source = Source::new(bytes);
    let Some((older, newer)) = grow::versions(&mut source) else { return };
    pass(&mut source, &newer, &older);
    pass(&mut source, &older, &newer);
});

fn pass(source: &mut Source<'_>, from: &Schema, to: &Schema) {
    let (from_plan, to_plan) = (Plan::new(from), Plan::new(to));
    for number in 0..from.methods.len() {
        let (node, to_node) = (from_plan.method(number).result, to_plan.method(number).result);
        let ty = &from.methods[number].result;
        let value = generate::value(source, from, ty, 4);
        let form = Lowered::lower(from, &from_plan, node, &value).expect("a value of the type");
        // SAFETY: the form was lowered above, and not changed since.
        let converted = unsafe { form.convert(to, &to_plan, to_node) };
        match (converted, grow::moved(&value, ty, from, to)) {
            (Ok(converted), Some(expected)) => {
                // SAFETY: the form was converted from a valid one.
                let lifted = unsafe { converted.lift() }.expect("a valid value was converted");
                // A NaN is not equal to itself, but its text is. Maps keep their order here.
                assert_eq!(format!("{lifted:?}"), format!("{expected:?}"));
            }
            (Err(error), None) => assert!(error.to_string().contains("and the receiver has version"), "{error}"),
            (Ok(_), None) => panic!("{value} has a case that the receiver does not know"),
            (Err(error), Some(expected)) => panic!("{value} should be {expected}: {error}"),
        }
        // SAFETY: a valid value, in memory that only this function uses.
        for damage in unsafe { damage::damages(from, &from_plan, node, form.start()) } {
            // A fault in a part that the receiver does not know is found by nobody.
            // SAFETY: the memory is as it was at the search, because each `Damage` undoes its change.
            let _ = unsafe { damage.during(|| form.convert(to, &to_plan, to_node).and_then(|form| form.lift())) };
        }
    }
}
