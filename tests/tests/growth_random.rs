//! Random contracts that have grown, and random values: an adapter gives what lifting the value, leaving out or filling in
//! fields, and lowering gives. Memory that is no value does no harm on its way.

use polyplug::__private::Lowered;
use polyplug::schema::plan::Plan;
use polyplug::schema::{Schema, Verdict, compare};
use polyplug_tests::damage::damages;
use polyplug_tests::generate::{self, Source};
use polyplug_tests::grow::{moved, versions};
use polyplug_tests::values::same;
use proptest::prelude::*;

/// Checks the conversion of a value of each method's result.
fn check(source: &mut Source<'_>, from: &Schema, to: &Schema) -> Result<(), TestCaseError> {
    let (from_plan, to_plan) = (Plan::new(from), Plan::new(to));
    for number in 0..from.methods.len() {
        let (node, to_node) = (from_plan.method(number).result, to_plan.method(number).result);
        let ty = &from.methods[number].result;
        let value = generate::value(source, from, ty, 3);
        let form = Lowered::lower(from, &from_plan, node, &value).unwrap();
        // SAFETY: the form was lowered above.
        let converted = unsafe { form.convert(to, &to_plan, to_node) };
        match (converted, moved(&value, ty, from, to)) {
            (Ok(converted), Some(expected)) => {
                // SAFETY: the form was converted from a valid one.
                let lifted = unsafe { converted.lift() };
                prop_assert!(same(lifted.as_ref().unwrap(), &expected), "{value} became {lifted:?}, not {expected}");
            }
            (Err(error), None) => prop_assert!(error.to_string().contains("and the receiver has version"), "{error}"),
            (Ok(_), None) => prop_assert!(false, "{value} has a case that the receiver does not know"),
            (Err(error), Some(expected)) => prop_assert!(false, "{value} should be {expected}: {error}"),
        }
        // SAFETY: a valid value, in memory that is this test's alone.
        let all = unsafe { damages(from, &from_plan, node, form.start()) };
        for damage in all.iter().take(60) {
            // Whether the adapter or the receiver finds the fault depends on who follows it. A fault in a part that the
            // receiver does not know is found by nobody.
            // SAFETY: the form was lowered, and is damaged only as `Damage` does it.
            let _ = unsafe { damage.during(|| form.convert(to, &to_plan, to_node).and_then(|form| form.lift())) };
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn an_adapter_does_what_lifting_and_lowering_does(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let mut source = Source::new(&bytes);
        let Some((older, newer)) = versions(&mut source) else { return Ok(()) };
        check(&mut source, &newer, &older)?;
        check(&mut source, &older, &newer)?;
        let verdicts = compare(&older, &newer).into_iter().map(|change| change.verdict);
        prop_assert!(verdicts.max() <= Some(Verdict::Adapted));
    }
}

#[test]
fn random_contracts_do_grow() {
    let (mut state, mut grown) = (1u64, 0);
    for _ in 0..10_000 {
        let mut byte = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        };
        let bytes: Vec<u8> = (0..600).map(|_| byte()).collect();
        let mut source = Source::new(&bytes);
        let Some((older, newer)) = versions(&mut source) else { continue };
        check(&mut source, &newer, &older).unwrap();
        check(&mut source, &older, &newer).unwrap();
        let plans = (Plan::new(&older), Plan::new(&newer));
        let sizes = |plan: &Plan| plan.methods().iter().map(|method| plan.node(method.result).size).collect::<Vec<_>>();
        grown += u32::from(sizes(&plans.0) != sizes(&plans.1));
    }
    println!("{grown} of 10000 contracts have another size");
    assert!(grown > 300, "only {grown} of 10000 contracts have another size");
}
