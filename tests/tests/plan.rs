//! The plan of a schema lays values out exactly as the compiler does.

use std::collections::{BTreeMap, HashMap};
use std::mem::offset_of;

use polyplug::Type;
use polyplug::schema::plan::{Body, Kind, Node, NodeId, Place, Plan};
use polyplug::schema::{MethodsBuilder, Schema};
use polyplug::types::{RawBox, RawList, RawOption, RawPair, RawResult, RawTuple3};
use test_contracts::each_type;
use test_contracts::types::*;

type Describe = fn(&mut polyplug::schema::Types) -> polyplug::schema::TypeRef;

/// The schema of one method that takes an `A`, a `B` and a `C` and returns a `B`.
fn schema<A: Type, B: Type, C: Type>() -> Schema {
    let arguments: [(&str, Describe); 3] = [("a", A::describe), ("b", B::describe), ("c", C::describe)];
    Schema::describe("test.one", 1, 0, "", |types| {
        MethodsBuilder::new(types).method("call", "", 0, &arguments, B::describe).build()
    })
}

/// The plan of a value of type `T`.
fn planned<T: Type>() -> (Plan, NodeId) {
    let plan = Plan::new(&schema::<u8, T, u8>());
    let result = plan.method(0).result;
    (plan, result)
}

#[track_caller]
fn check<T: Type>(name: &str) {
    let (plan, result) = planned::<T>();
    let node = plan.node(result);
    assert_eq!((node.size, node.align), (size_of::<T::Canon>(), align_of::<T::Canon>()), "{name}");
    inside(&plan, node, name);
    check_arguments::<u8, T, u8>(name);
    check_arguments::<T, u64, T>(name);
    check_arguments::<u16, (T, u8), bool>(name);
    check_arguments::<Option<T>, Result<T, u8>, Vec<Option<T>>>(name);
}

/// The arguments of a method are a C struct, as tuples are.
#[track_caller]
fn check_arguments<A: Type, B: Type, C: Type>(name: &str) {
    type Form<A, B, C> = RawTuple3<<A as Type>::Canon, <B as Type>::Canon, <C as Type>::Canon>;
    let plan = Plan::new(&schema::<A, B, C>());
    let method = plan.method(0);
    assert_eq!(
        (method.size, method.align),
        (size_of::<Form<A, B, C>>(), align_of::<Form<A, B, C>>()),
        "the arguments: {name}"
    );
    let places: Vec<_> = method.arguments.iter().map(|place| place.at).collect();
    let expected = [offset_of!(Form<A, B, C>, 0), offset_of!(Form<A, B, C>, 1), offset_of!(Form<A, B, C>, 2)];
    assert_eq!(places, expected, "the arguments: {name}");
    let result = plan.node(method.result);
    assert_eq!((result.size, result.align), (size_of::<B::Canon>(), align_of::<B::Canon>()), "the result: {name}");
}

/// Parts lie inside of what they are parts of, in order, aligned, and apart.
#[track_caller]
fn inside(plan: &Plan, node: &Node, name: &str) {
    let apart = |start: usize, places: &[Place]| {
        let mut end = start;
        for place in places {
            let part = plan.node(place.node);
            let at = start + place.at;
            assert!(at >= end && at.is_multiple_of(part.align) && part.align <= node.align, "{name}: {node:?}");
            end = at + part.size;
            assert!(end <= node.size, "{name}: {node:?}");
            inside(plan, part, name);
        }
    };
    match &node.kind {
        Kind::Record(_, Body { places, .. }) | Kind::Tuple(places) => apart(0, places),
        Kind::Variant { at, cases, .. } => {
            assert!(*at >= 4, "{name}: behind the tag");
            cases.iter().for_each(|case| apart(*at, &case.places));
        }
        Kind::Result { ok, err, at } => {
            assert!(*at >= 4, "{name}: behind the tag");
            apart(*at, &[Place { at: 0, node: *ok }]);
            apart(*at, &[Place { at: 0, node: *err }]);
        }
        Kind::Option { of, at } => {
            assert!(*at >= 1, "{name}: behind the tag");
            apart(*at, &[Place { at: 0, node: *of }]);
        }
        _ => {}
    }
}

macro_rules! check_each {
    ($($name:ident: $ty:ty),* $(,)?) => {
        #[test]
        fn every_type_has_the_size_that_the_compiler_gives_it() {
            $(check::<$ty>(stringify!($ty));)*
        }
    };
}

each_type!(check_each);

#[test]
fn odd_shapes_as_well() {
    #[derive(Type)]
    enum Hollow {
        _A((), ((), ())),
        _B,
    }

    #[derive(Type)]
    enum Uneven {
        _Three(u8, u8, u8),
        _Two(u16),
        _None,
    }

    check::<()>("unit");
    check::<((), ((),))>("a tuple of nothing");
    check::<Hollow>("a variant of nothing");
    check::<Uneven>("a union whose alignment is larger than its largest case needs");
    check::<Option<Uneven>>("an option of it");
    check::<Result<(u8, u8, u8), u16>>("a result like it");
    check::<Option<()>>("an option of nothing");
    check::<(Uneven, u8, Uneven)>("a tuple of it");
    check::<Option<Option<Option<u64>>>>("tags before tags");
    check::<(u8, (u16, (u32, (u64, u8), u8), u8), u8)>("tuples in tuples");
}

/// Where the parts of `T`'s form lie.
fn places<T: Type>() -> Vec<usize> {
    let (plan, result) = planned::<T>();
    match &plan.node(result).kind {
        Kind::Record(_, Body { places, .. }) | Kind::Tuple(places) => places.iter().map(|place| place.at).collect(),
        other => panic!("a record or a tuple, not {other:?}"),
    }
}

/// The offsets of fields of a C struct.
macro_rules! offsets {
    ($form:ty: $($field:tt),*) => { [$(offset_of!($form, $field)),*] };
}

#[test]
fn the_fields_of_records_lie_where_c_puts_them() {
    #[allow(dead_code)]
    #[repr(C)]
    struct MixedForm {
        flag: u8,
        number: i64,
        small: u8,
        letter: u32,
        text: RawList<u8>,
        bytes: RawList<u8>,
        last: u16,
    }
    assert_eq!(places::<Mixed>(), offsets!(MixedForm: flag, number, small, letter, text, bytes, last));
    assert_eq!(size_of::<<Mixed as Type>::Canon>(), size_of::<MixedForm>());

    #[allow(dead_code)]
    #[repr(C)]
    struct NestedForm {
        mixed: MixedForm,
        points: RawList<[f64; 2]>,
        maybe: RawOption<[u64; 2]>,
        tuple: [u64; 3],
        by_name: RawList<u8>,
        boxed: RawBox<u8>,
        outcome: RawResult<[f64; 2], RawList<u8>>,
        shape: [u64; 6],
        nothing: (),
    }
    let expected = offsets!(NestedForm: mixed, points, maybe, tuple, by_name, boxed, outcome, shape, nothing);
    assert_eq!(places::<Nested>(), expected);

    assert_eq!(places::<Pixel>(), [0, 1, 2]);
    assert_eq!(places::<Pair>(), [0, 8]);
    assert_eq!(places::<Chain>(), [0, 8]);
    assert_eq!(places::<Tree>(), [0, 8]);
}

#[test]
fn variants_are_a_tag_and_a_union() {
    #[allow(dead_code)]
    #[repr(C)]
    union ShapeUnion {
        dot: u8,
        line: [f64; 4],
        circle: [f64; 3],
        named: [u64; 5],
        inside: RawBox<u8>,
    }
    #[allow(dead_code)]
    #[repr(C)]
    struct ShapeForm {
        tag: u32,
        union: ShapeUnion,
    }
    let (plan, result) = planned::<Shape>();
    let node = plan.node(result);
    assert_eq!((node.size, node.align), (size_of::<ShapeForm>(), align_of::<ShapeForm>()));
    let Kind::Variant { at, cases, .. } = &node.kind else { panic!("a variant, not {node:?}") };
    assert_eq!(*at, offset_of!(ShapeForm, union));
    let places: Vec<Vec<usize>> = cases.iter().map(|case| case.places.iter().map(|place| place.at).collect()).collect();
    assert_eq!(places, [vec![], vec![0], vec![0, 16], vec![0, 16], vec![0, 16, 32], vec![0]]);
}

/// The entries of the map that is a form's part number `part`.
#[track_caller]
fn check_entries<T: Type, K: Type, V: Type>(part: usize) {
    type Entry<K, V> = RawPair<<K as Type>::Canon, <V as Type>::Canon>;
    let (plan, result) = planned::<T>();
    let Kind::Record(_, Body { places, .. }) = &plan.node(result).kind else { panic!("a record") };
    let Kind::Map { value_at, stride, align, .. } = plan.node(places[part].node).kind else { panic!("a map") };
    assert_eq!(
        (value_at, stride, align),
        (offset_of!(Entry<K, V>, value), size_of::<Entry<K, V>>(), align_of::<Entry<K, V>>())
    );
}

#[test]
fn what_contains_itself_has_its_whole_size_everywhere() {
    // The size of a type is not known yet while its own parts are laid out.
    check_entries::<Folder, String, Folder>(1);
    check_entries::<Folder, u16, Folder>(2);
    let (plan, result) = planned::<Family>();
    let Kind::Record(_, Body { places, .. }) = &plan.node(result).kind else { panic!("a record") };
    let element = |part: usize| match plan.node(places[part].node).kind {
        Kind::List(of) => (plan.node(of).size, plan.node(of).align),
        _ => panic!("a list"),
    };
    fn form<T: Type>() -> (usize, usize) {
        (size_of::<T::Canon>(), align_of::<T::Canon>())
    }
    assert_eq!(element(1), form::<(u8, Family)>());
    assert_eq!(element(2), form::<Option<Family>>());
    assert_eq!(element(3), form::<Result<Family, u8>>());
}
