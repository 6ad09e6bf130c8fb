//! Canonical memory that is no value is refused, wherever in the value the fault is, by whoever lifts it, and the error
//! names the place.

use std::collections::{BTreeMap, HashMap};

use polyplug::__private::{Depth, LiftError, Lowered};
use polyplug::schema::plan::{Body, Kind, Plan};
use polyplug::schema::{MethodsBuilder, Schema};
use polyplug::{Type, Value};
use polyplug_tests::damage::{Damage, damages};
use polyplug_tests::error_path::error_path;
use polyplug_tests::generate::{self, Source};
use polyplug_tests::values::{Sample, same};
use proptest::prelude::*;
use test_contracts::each_type;
use test_contracts::types::*;

fn schema_of<T: Type>() -> Schema {
    Schema::describe("test.one", 1, 0, "", |types| {
        MethodsBuilder::new(types).method("call", "", 0, &[], T::describe).build()
    })
}

/// Whether an error says where and why.
#[track_caller]
fn check_text(text: &str, damage: &Damage) {
    assert!(text.contains(&damage.reason), "`{}` is in `{text}`", damage.reason);
    if !damage.path.is_empty() {
        let start = format!("{}: ", error_path(&damage.path));
        assert!(text.starts_with(&start), "`{start}` is in front of `{text}`");
    }
}

/// Lifts a form of `T`, as the type does and as a dynamic call does.
///
/// # Safety
///
/// The pointers in the form must lead to memory of the form's kind, which may be damaged as `Damage` does it.
unsafe fn lift_both<T: Type>(form: &Lowered<'_>) -> (Result<T, LiftError>, Result<Value, LiftError>) {
    // SAFETY: the form has the layout of the type's, as the tests of plans prove, and the caller promises its pointers.
    unsafe { (T::lift(&*form.start().cast::<T::Canon>(), Depth::ROOT), form.lift()) }
}

/// Spoils every value of `T` in every way.
fn spoil_each<T: Sample + Type>(name: &str) -> usize {
    let schema = schema_of::<T>();
    let plan = Plan::new(&schema);
    let node = plan.method(0).result;
    let mut count = 0;
    for sample in T::samples() {
        let value = sample.value();
        let form = Lowered::lower(&schema, &plan, node, &value).unwrap();
        // SAFETY: the form was lowered, and is damaged only as `Damage` does it.
        let lift = || unsafe { lift_both::<T>(&form) };
        let (typed, dynamic) = lift();
        assert!(same(&typed.unwrap().value(), &value), "{name}: {sample:?}");
        assert!(same(&dynamic.unwrap(), &value), "{name}: {sample:?}");
        // SAFETY: a valid value, in memory that is this test's alone.
        let all = unsafe { damages(&schema, &plan, node, form.start()) };
        count += all.len();
        for damage in &all {
            // SAFETY: nothing changed since the search.
            let (typed, dynamic) = unsafe { damage.during(lift) };
            let (Err(typed), Err(dynamic)) = (typed, dynamic) else {
                panic!("{name}: {sample:?}: {} was lifted with: {}", error_path(&damage.path), damage.reason)
            };
            check_text(&dynamic.to_string(), damage);
            assert_eq!(typed.to_string(), dynamic.to_string(), "{name}: both say the same");
        }
        assert!(same(&lift().1.unwrap(), &value), "mended");
    }
    count
}

macro_rules! spoil {
    ($($name:ident: $ty:ty),* $(,)?) => {
        #[test]
        fn every_fault_in_every_type_is_found() {
            let count: usize = [$(spoil_each::<$ty>(stringify!($name))),*].into_iter().sum();
            assert!(count > 5000, "only {count} ways to spoil values were found");
        }
    };
}

each_type!(spoil);

#[test]
fn a_value_that_contains_itself_has_no_end() {
    #[track_caller]
    fn endless<T: Sample + Type>(sample: &T, knot: impl FnOnce(*mut u8)) {
        let schema = schema_of::<T>();
        let plan = Plan::new(&schema);
        let value = sample.value();
        let form = Lowered::lower(&schema, &plan, plan.method(0).result, &value).unwrap();
        knot(form.start());
        // SAFETY: the knot leads back into the form.
        let (typed, dynamic) = unsafe { lift_both::<T>(&form) };
        let text = typed.unwrap_err().to_string();
        assert!(text.ends_with("nested deeper than 128 levels"), "{text}");
        assert_eq!(text, dynamic.unwrap_err().to_string());
    }

    // SAFETY: the pointer to the next link lies behind the number.
    endless(&chain(2), |start| unsafe { start.add(8).cast::<*mut u8>().write(start) });
    // SAFETY: the list of children lies behind the value and its padding, and has one element.
    endless(&tree(2), |start| unsafe { start.add(8).cast::<*mut u8>().write(start) });
}

#[test]
fn what_is_seen_where_it_lies_lies_as_deep_as_anything_else() {
    let schema = schema_of::<Onion>();
    let plan = Plan::new(&schema);
    let node = plan.method(0).result;
    let (outer, inner) = (onion(1, true).value(), onion(128, true).value());
    let outer = Lowered::lower(&schema, &plan, node, &outer).unwrap();
    let inner = Lowered::lower(&schema, &plan, node, &inner).unwrap();
    let Kind::Record(_, Body { places, .. }) = &plan.node(node).kind else { panic!("a record") };
    // SAFETY: the last field is a pointer to another onion.
    unsafe { outer.start().add(places[2].at).cast::<*mut u8>().write(inner.start()) };
    for (form, texts) in [(&outer, Some("rings: nested deeper than 128 levels")), (&inner, None)] {
        // SAFETY: the pointer leads to the inner form.
        let (typed, dynamic) = unsafe { lift_both::<Onion>(form) };
        let typed = typed.map(|onion| onion.value());
        match texts {
            Some(text) => {
                let error = typed.unwrap_err().to_string();
                assert!(error.ends_with(text), "{error}");
                assert_eq!(error, dynamic.unwrap_err().to_string());
            }
            None => assert_eq!(typed.unwrap(), dynamic.unwrap()),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn values_of_any_schema_come_back_unchanged(bytes in prop::collection::vec(any::<u8>(), 0..1500)) {
        let mut source = Source::new(&bytes);
        let schema = generate::schema(&mut source);
        // Types within types may have become too large.
        prop_assume!(Schema::decode(&schema.encode()).is_ok());
        let plan = Plan::new(&schema);
        for (number, method) in schema.methods.iter().enumerate() {
            let value = generate::value(&mut source, &schema, &method.result, 5);
            let form = Lowered::lower(&schema, &plan, plan.method(number).result, &value).unwrap();
            // SAFETY: lowered, and nothing wrote to it since.
            let lifted = unsafe { form.lift() }.unwrap();
            prop_assert!(same(&lifted, &value), "{} came back as {}", value, lifted);
        }
    }

    #[test]
    fn faults_in_values_of_any_schema_are_found(bytes in prop::collection::vec(any::<u8>(), 0..1500)) {
        let mut source = Source::new(&bytes);
        let schema = generate::schema(&mut source);
        prop_assume!(Schema::decode(&schema.encode()).is_ok());
        let plan = Plan::new(&schema);
        for (number, method) in schema.methods.iter().enumerate() {
            let value = generate::value(&mut source, &schema, &method.result, 5);
            let node = plan.method(number).result;
            let form = Lowered::lower(&schema, &plan, node, &value).unwrap();
            // SAFETY: a valid value, in memory that is this test's alone.
            for damage in unsafe { damages(&schema, &plan, node, form.start()) } {
                // SAFETY: nothing changed since the search; the form is damaged only as `Damage` does it.
                let lifted = unsafe { damage.during(|| form.lift()) };
                prop_assert!(lifted.is_err(), "{}: {} was lifted", error_path(&damage.path), damage.reason);
                check_text(&lifted.unwrap_err().to_string(), &damage);
            }
        }
    }
}
