//! Values of any type reach an engine and come back unchanged; what is no value is refused with its place, whichever
//! side it comes from.

use std::sync::{Arc, Mutex};

use polyplug::__private::Lowered;
use polyplug::schema::plan::Plan;
use polyplug::schema::{Field, Method, Schema, Shape, TypeRef};
use polyplug::{CallError, Runtime};
use polyplug_abi::{AbiError, GuestContractId, GuestContractInstance};
use polyplug_tests::damage::damages;
use polyplug_tests::engine::{Class, Raise, Toy, ToyLoader};
use polyplug_tests::error_path::error_path;
use polyplug_tests::generate::{self, Source};
use polyplug_tests::values::same;
use proptest::prelude::*;

use crate::declaring;

/// A contract whose methods return their one argument, made of any schema; and a bundle that implements it. Where
/// `answers` has something, that is returned instead.
struct Echo {
    runtime: Arc<Runtime>,
    schema: Schema,
    answer: Arc<Mutex<Option<Toy>>>,
    seen: Arc<Mutex<Toy>>,
}

impl Echo {
    fn new(mut schema: Schema) -> Self {
        schema.name = "foreign.echo".to_owned();
        schema.major = 1;
        for (number, method) in schema.methods.iter_mut().enumerate() {
            let argument = Field::new("value", "", method.result.clone());
            let name = format!("echo{number}");
            *method = Method {
                name,
                docs: String::new(),
                since: 0,
                arguments: vec![argument],
                result: method.result.clone(),
            };
        }
        let loader = ToyLoader::new();
        let (answer, seen) = (Arc::<Mutex<Option<Toy>>>::default(), Arc::new(Mutex::new(Toy::Nil)));
        let mut class = Class::new("foreign.echo@1");
        for method in &schema.methods {
            let (answer, seen) = (Arc::clone(&answer), Arc::clone(&seen));
            let may_fail = matches!(method.result, TypeRef::Result(..));
            class = class.method(&method.name, move |call| {
                *seen.lock().unwrap() = call.arguments[0].clone();
                let value = answer.lock().unwrap().take().unwrap_or_else(|| call.arguments[0].clone());
                // A method's own result is returned or raised, not wrapped.
                match value {
                    Toy::Map(_) if may_fail && value.get("err").is_some() => {
                        Err(Raise::Declared(value.get("err").cloned().unwrap_or(Toy::Nil)))
                    }
                    Toy::Map(_) if may_fail && value.get("ok").is_some() => {
                        Ok(value.get("ok").cloned().unwrap_or(Toy::Nil))
                    }
                    value => Ok(value),
                }
            });
        }
        loader.program("echo", declaring(class));
        let bundle = ToyLoader::bundle("echo", "");
        bundle.write("foreign.echo@1.schema", schema.encode());
        let runtime = loader.runtime();
        runtime.load_bundle(bundle.path()).unwrap();
        Self { runtime, schema, answer, seen }
    }
}

/// A schema that a contract could have, of these bytes.
fn schema(source: &mut Source<'_>) -> Option<Schema> {
    let schema = generate::schema(source);
    // Types within types may have become too large.
    Schema::decode(&schema.encode()).ok()
}

/// Ways to a part of a value, each with what it is called in an error: where it leads, everything is of a wrong kind.
struct Wrong<'a> {
    schema: &'a Schema,
    /// The steps to the part that is looked at.
    path: Vec<String>,
    found: Vec<(String, Toy)>,
}

impl Wrong<'_> {
    /// Every way to replace one part of `value` by what is no value of any type. `whole` puts a part in its place.
    fn part(&mut self, ty: &TypeRef, value: &Toy, whole: &dyn Fn(Toy) -> Toy) {
        let nobody = Toy::object("nothing", |_| Ok(Toy::Nil));
        self.found.push((error_path(&self.path), whole(nobody)));
        match (ty, value) {
            (TypeRef::List(of), Toy::List(items)) => {
                for (i, item) in items.iter().enumerate() {
                    self.within([format!("[{i}]")], of, item, &|part| whole(with_item(items, i, part)));
                }
            }
            (TypeRef::Tuple(parts), Toy::List(items)) => {
                for (i, (of, item)) in parts.iter().zip(items).enumerate() {
                    self.within([i.to_string()], of, item, &|part| whole(with_item(items, i, part)));
                }
            }
            (TypeRef::Map(key, of), Toy::Map(entries)) => {
                for (i, (name, value)) in entries.iter().enumerate() {
                    let put = |entry: (Toy, Toy)| {
                        let mut entries = entries.clone();
                        entries[i] = entry;
                        whole(Toy::Map(entries))
                    };
                    self.within([format!("[{i}]"), "key".to_owned()], key, name, &|part| put((part, value.clone())));
                    self.within([format!("[{i}]"), "value".to_owned()], of, value, &|part| put((name.clone(), part)));
                }
            }
            (TypeRef::Box(of), value) => self.same_place(of, value, whole),
            (TypeRef::Option(of), Toy::List(items)) if self.may_be_none(of) => {
                if let [item] = items.as_slice() {
                    self.same_place(of, item, &|part| whole(Toy::List(vec![part])));
                }
            }
            (TypeRef::Option(of), value) if *value != Toy::Nil => self.same_place(of, value, whole),
            (TypeRef::Named(number), value) => self.named(*number, value, whole),
            _ => {}
        }
    }

    fn may_be_none(&self, ty: &TypeRef) -> bool {
        match ty {
            TypeRef::Unit | TypeRef::Option(_) => true,
            TypeRef::Box(of) => self.may_be_none(of),
            _ => false,
        }
    }

    fn named(&mut self, number: u32, value: &Toy, whole: &dyn Fn(Toy) -> Toy) {
        match (&self.schema.definition(number).shape, value) {
            (Shape::Record(fields), Toy::Map(_)) => self.fields(fields, value, whole),
            (Shape::Variant(cases), Toy::Map(_)) => {
                let (Some(Toy::Text(tag)), Some(payload)) = (value.get("tag"), value.get("val")) else { return };
                let case = cases.iter().find(|case| case.name == *tag).unwrap();
                self.path.push(tag.clone());
                let put = |part: Toy| whole(Toy::map([("tag", Toy::text(tag)), ("val", part)]));
                self.fields(&case.fields, payload, &put);
                self.path.pop();
            }
            _ => {}
        }
    }

    fn fields(&mut self, fields: &[Field], value: &Toy, whole: &dyn Fn(Toy) -> Toy) {
        let Toy::Map(entries) = value else { return };
        for (i, (field, (_, value))) in fields.iter().zip(entries).enumerate() {
            self.within([field.name.clone()], &field.ty, value, &|part| {
                let mut entries = entries.clone();
                entries[i].1 = part;
                whole(Toy::Map(entries))
            });
        }
    }

    fn same_place(&mut self, ty: &TypeRef, value: &Toy, whole: &dyn Fn(Toy) -> Toy) {
        let known = self.found.len();
        self.part(ty, value, whole);
        self.found.remove(known); // the part itself is what stands there already
    }

    fn within<const N: usize>(&mut self, steps: [String; N], ty: &TypeRef, value: &Toy, whole: &dyn Fn(Toy) -> Toy) {
        self.path.extend(steps);
        self.part(ty, value, whole);
        self.path.truncate(self.path.len() - N);
    }
}

fn with_item(items: &[Toy], index: usize, item: Toy) -> Toy {
    let mut items = items.to_vec();
    items[index] = item;
    Toy::List(items)
}

/// Any value of the toy language.
fn any_toy(source: &mut Source<'_>, nesting: usize) -> Toy {
    let few = |source: &mut Source<'_>| if nesting == 0 { 0 } else { source.below(4) };
    match source.below(11) {
        0 => Toy::Nil,
        1 => Toy::Bool(source.below(2) == 1),
        2 => Toy::Int(source.below(256) as i128 - 100),
        3 => Toy::Int((source.below(256) as i128) << (source.below(120))),
        4 => Toy::Float([0.0, 1.5, f64::NAN, f64::INFINITY, 1e300][source.below(5)]),
        5 => Toy::text(["", "a", "tag", "größe", "Empty"][source.below(5)]),
        6 => Toy::Bytes(vec![0; source.below(4)]),
        7 | 8 => Toy::List((0..few(source)).map(|_| any_toy(source, nesting - 1)).collect()),
        9 => {
            let entries = (0..few(source)).map(|_| (any_toy(source, nesting - 1), any_toy(source, nesting - 1)));
            Toy::Map(entries.collect())
        }
        _ => Toy::map([
            (["tag", "ok", "err", "a0"][source.below(4)], any_toy(source, nesting.saturating_sub(1))),
            (["val", "b1"][source.below(2)], any_toy(source, nesting.saturating_sub(1))),
        ]),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn values_of_any_schema_come_back_unchanged(bytes in prop::collection::vec(any::<u8>(), 0..1500)) {
        let mut source = Source::new(&bytes);
        let Some(schema) = schema(&mut source) else { return Ok(()) };
        let echo = Echo::new(schema);
        let proxy = echo.runtime.dynamic("foreign.echo@1").unwrap();
        for method in &echo.schema.methods {
            let value = generate::value(&mut source, &echo.schema, &method.result, 5);
            let answer = proxy.call(&method.name, std::slice::from_ref(&value)).unwrap();
            prop_assert!(same(&answer, &value), "{} came back as {}, by way of {:?}", value, answer, echo.seen);
        }
    }

    #[test]
    fn faults_in_memory_are_found_before_an_engine_sees_them(
        bytes in prop::collection::vec(any::<u8>(), 0..1500)
    ) {
        let mut source = Source::new(&bytes);
        let Some(schema) = schema(&mut source) else { return Ok(()) };
        let echo = Echo::new(schema);
        let plan = Plan::new(&echo.schema);
        let pin = polyplug::pin();
        let id = GuestContractId::new("foreign.echo", 1);
        let handle = echo.runtime.find_guest_contract(id.id(), 0).unwrap();
        let interface = echo.runtime.resolve_guest_contract(handle).unwrap();
        // SAFETY: valid while pinned, of a machine.
        let (interface, vm) = unsafe { (&*interface, (*interface).dispatch.vm) };
        let mut instance = GuestContractInstance::null();
        // SAFETY: called as its type says.
        unsafe {
            let host = echo.runtime.host_abi();
            (interface.create_instance)(vm.loader_data, host, std::ptr::null(), &raw mut instance);
        }
        for (number, method) in echo.schema.methods.iter().enumerate() {
            let value = generate::value(&mut source, &echo.schema, &method.result, 5);
            let node = plan.method(number).result;
            let form = Lowered::lower(&echo.schema, &plan, node, &value).unwrap();
            // SAFETY: a valid value, in memory that is this test's alone.
            for damage in unsafe { damages(&echo.schema, &plan, node, form.start()) } {
                let mut error = AbiError::ok();
                // The argument is refused, so nothing is written.
                let (out, arena) = (std::ptr::null_mut(), std::ptr::null_mut());
                // SAFETY: the only argument is the form, which is damaged only as `Damage` does it.
                unsafe {
                    damage.during(|| {
                        let args = form.start().cast_const().cast();
                        (vm.call)(vm.loader_data, instance, number as u32, args, out, arena, &raw mut error);
                    });
                }
                let path = [vec!["argument `value`".to_owned()], damage.path].concat();
                prop_assert!(!error.is_ok(), "{}: {} was lifted", error_path(&path), damage.reason);
                // SAFETY: the text stays until this thread's next call.
                let text = String::from_utf8(unsafe { error.message.bytes() }.unwrap().to_vec()).unwrap();
                prop_assert!(text.contains(&damage.reason), "{} is in: {}", damage.reason, text);
                let start = format!("{}: ", error_path(&path));
                prop_assert!(text.starts_with(&start), "{} is in front of: {}", start, text);
            }
        }
        // SAFETY: made above, and not used again.
        unsafe { (interface.destroy_instance)(vm.loader_data, echo.runtime.host_abi(), instance) };
        drop(pin);
    }

    #[test]
    fn one_wrong_part_of_a_result_is_named(bytes in prop::collection::vec(any::<u8>(), 0..1500)) {
        let mut source = Source::new(&bytes);
        let Some(schema) = schema(&mut source) else { return Ok(()) };
        let echo = Echo::new(schema);
        let proxy = echo.runtime.dynamic("foreign.echo@1").unwrap();
        for method in &echo.schema.methods {
            let value = generate::value(&mut source, &echo.schema, &method.result, 3);
            proxy.call(&method.name, std::slice::from_ref(&value)).unwrap();
            let right = echo.seen.lock().unwrap().clone();
            let mut wrong = Wrong { schema: &echo.schema, path: vec!["result".to_owned()], found: Vec::new() };
            // What a method that can fail returns or raises is a part of what it is given here.
            match (&method.result, right.get("ok"), right.get("err")) {
                (TypeRef::Result(ok, _), Some(value), _) => wrong.part(ok, value, &|part| Toy::map([("ok", part)])),
                (TypeRef::Result(_, err), _, Some(value)) => {
                    wrong.path.push("error".to_owned());
                    wrong.part(err, value, &|part| Toy::map([("err", part)]));
                }
                _ => wrong.part(&method.result, &right, &|part| part),
            }
            for (path, answer) in wrong.found {
                *echo.answer.lock().unwrap() = Some(answer);
                let outcome = proxy.call(&method.name, std::slice::from_ref(&value));
                let Err(CallError::InvalidResult(failure)) = outcome else { panic!("{path}: {outcome:?}") };
                let start = format!("{path}: ");
                prop_assert!(failure.message.starts_with(&start), "{} is in front of: {}", start, failure.message);
            }
        }
    }

    #[test]
    fn whatever_an_engine_returns_is_a_value_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..1500)) {
        let mut source = Source::new(&bytes);
        let Some(schema) = schema(&mut source) else { return Ok(()) };
        let echo = Echo::new(schema);
        let proxy = echo.runtime.dynamic("foreign.echo@1").unwrap();
        for method in &echo.schema.methods {
            let value = generate::value(&mut source, &echo.schema, &method.result, 2);
            for _ in 0..20 {
                let toy = any_toy(&mut source, 3);
                *echo.answer.lock().unwrap() = Some(toy.clone());
                match proxy.call(&method.name, std::slice::from_ref(&value)) {
                    Ok(answer) => {
                        // It is a value of the type: it can be given as one.
                        let again = proxy.call(&method.name, std::slice::from_ref(&answer)).unwrap();
                        prop_assert!(same(&again, &answer));
                    }
                    Err(CallError::InvalidResult(failure)) => {
                        prop_assert!(failure.message.starts_with("result"), "{}", failure.message);
                    }
                    Err(other) => panic!("{toy:?}: {other:?}"),
                }
            }
        }
    }
}
