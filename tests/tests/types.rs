//! Values of every type cross to a plugin and back unchanged, through typed proxies and by name.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;
use std::sync::Arc;

use polyplug::dynamic::DynamicProxy;
use polyplug::{CallError, Runtime, Value};
use polyplug_tests::values::{Sample, same};
use polyplug_tests::{Bundle, runtime};
use test_contracts::each_type;
use test_contracts::types::*;

/// The fixture, loaded.
fn loaded() -> (Arc<Runtime>, Bundle) {
    let bundle = Bundle::native("types", "plugin-types");
    let runtime = runtime();
    runtime.load_bundle(bundle.path()).unwrap();
    (runtime, bundle)
}

/// The methods of `test.types`, called in both ways.
struct Both {
    typed: TypesProxy,
    dynamic: DynamicProxy,
}

impl Both {
    fn check<T: Sample>(&self, method: &str, typed: impl Fn(&TypesProxy, T) -> Result<T, CallError>) {
        let samples = T::samples();
        assert!(!samples.is_empty());
        for sample in samples {
            let answer = typed(&self.typed, sample.clone()).unwrap();
            // The text of what is not a number is always the same, which its equality is not; maps have no order.
            assert!(same(&answer.value(), &sample.value()), "{method}: {sample:?} came back as {answer:?}");
            let value = sample.value();
            let answer = self.dynamic.call(method, std::slice::from_ref(&value)).unwrap();
            assert!(same(&answer, &value), "{method}: {value} came back as {answer}");
        }
    }
}

macro_rules! check_each {
    ($($name:ident: $ty:ty),* $(,)?) => {
        #[test]
        fn values_of_every_type_come_back_unchanged() {
            let (runtime, _bundle) = loaded();
            let typed = runtime.proxy::<dyn Types>().unwrap();
            let both = Both { typed, dynamic: runtime.dynamic("test.types@1").unwrap() };
            $(both.check::<$ty>(stringify!($name), |proxy, value| proxy.$name(value));)*
            let checked = [$(stringify!($name)),*];
            let schema = both.dynamic.schema();
            let methods: Vec<_> = schema.methods.iter().map(|method| method.name.as_str()).collect();
            assert_eq!(methods, checked, "each method is checked");
        }
    };
}

each_type!(check_each);

/// Calls a method of `test.borrowed` in both ways.
#[track_caller]
fn lend<T: Debug + PartialEq>(
    runtime: &Runtime,
    method: &str,
    lent: Value,
    expected: T,
    call: impl Fn(&BorrowedProxy) -> Result<T, CallError>,
) {
    let proxy = runtime.proxy::<dyn Borrowed>().unwrap();
    assert_eq!(call(&proxy).unwrap(), expected, "{method}");
    let answer = runtime.call("test.borrowed@1", method, std::slice::from_ref(&lent)).unwrap();
    assert!(same(&answer, &lent), "{method}: {lent} came back as {answer}");
}

#[test]
fn arguments_by_reference_arrive_as_they_are() {
    let (runtime, _bundle) = loaded();
    let runtime = &*runtime;
    macro_rules! lend {
        ($($method:ident: $values:expr;)*) => {$(
            for value in $values {
                lend(runtime, stringify!($method), value.value(), value.clone(), |proxy| proxy.$method(&value));
            }
        )*};
    }
    lend! {
        text: String::samples();
        owned_text: String::samples();
        bytes: Vec::<u8>::samples();
        owned_bytes: Vec::<u8>::samples();
        number: i32::samples();
        floats: [vec![], vec![0.0], vec![f64::MAX, -1.5, f64::NEG_INFINITY]];
        booleans: Vec::<bool>::samples();
        letters: Vec::<char>::samples();
        texts: Vec::<String>::samples();
        lists: Vec::<Vec<i32>>::samples();
        points: [vec![], vec![Point { x: 1.0, y: 2.0 }, Point { x: -0.5, y: f64::MAX }]];
        pairs: Vec::<Pair>::samples();
        colours: Vec::<Colour>::samples();
        shapes: Vec::<Shape>::samples();
        tuples: Vec::<(u8, u64)>::samples();
        options: Vec::<Option<String>>::samples();
        list: Vec::<String>::samples();
        option: Option::<String>::samples();
        tuple: <(i32, String)>::samples();
        map: HashMap::<String, i32>::samples();
        record: Mixed::samples();
        colour: Colour::samples();
        shape: Shape::samples();
        tree: Tree::samples();
        boxed: Box::<Shape>::samples();
    }
}

#[test]
fn nothing_may_cross_as_well() {
    let (runtime, _bundle) = loaded();
    assert_eq!(runtime.proxy::<dyn Borrowed>().unwrap().nothing(), Ok(()));
    assert_eq!(runtime.call("test.borrowed@1", "nothing", &[]), Ok(Value::Unit));
}

#[test]
fn many_arguments_keep_their_places() {
    let (runtime, _bundle) = loaded();
    let proxy = runtime.proxy::<dyn Borrowed>().unwrap();
    let (point, shape) = (Point { x: 0.5, y: -0.5 }, Shape::Dot(3));
    let answer = proxy.many(1, "zwei", Some(3.0), &[4, -4], '5', point, &shape, u64::MAX).unwrap();
    assert_eq!(answer, (1, "zwei".into(), Some(3.0), vec![4, -4], '5', point, shape, u64::MAX));
    let arguments: Vec<Value> = vec![
        answer.0.value(),
        answer.1.value(),
        answer.2.value(),
        answer.3.value(),
        answer.4.value(),
        answer.5.value(),
        answer.6.value(),
        answer.7.value(),
    ];
    assert_eq!(runtime.call("test.borrowed@1", "many", &arguments), Ok(Value::Tuple(arguments)));
}

#[test]
fn plain_slices_are_seen_where_they_lie() {
    let (runtime, _bundle) = loaded();
    let proxy = runtime.proxy::<dyn Borrowed>().unwrap();
    fn address<T>(of: &[T]) -> u64 {
        of.as_ptr() as u64
    }
    let text = "where it lies".to_owned();
    assert_eq!(proxy.address_of_text(&text), Ok(address(text.as_bytes())));
    let bytes = vec![1u8; 100];
    assert_eq!(proxy.address_of_bytes(&bytes[3..]), Ok(address(&bytes[3..])));
    let floats = vec![1.0; 100];
    assert_eq!(proxy.address_of_floats(&floats), Ok(address(&floats)));
    let points = vec![Point { x: 1.0, y: 2.0 }; 3];
    assert_eq!(proxy.address_of_points(&points), Ok(address(&points)));
    let pixels = [Pixel { red: 1, green: 2, blue: 3 }; 3];
    assert_eq!(proxy.address_of_pixels(&pixels[1..]), Ok(address(&pixels[1..])));

    // Text and bytes are not copied for calls by name either.
    let value = Value::from(text);
    let lies_at = value.as_str().unwrap().as_ptr() as u64;
    assert_eq!(runtime.call("test.borrowed@1", "address_of_text", &[value]), Ok(Value::U64(lies_at)));
    let lies_at = address(&bytes);
    assert_eq!(runtime.call("test.borrowed@1", "address_of_bytes", &[bytes.into()]), Ok(Value::U64(lies_at)));
}

#[test]
fn what_must_be_checked_is_copied() {
    let (runtime, _bundle) = loaded();
    let proxy = runtime.proxy::<dyn Borrowed>().unwrap();
    let booleans = [true, false];
    assert_ne!(proxy.address_of_booleans(&booleans), Ok(booleans.as_ptr() as u64));
    let letters = ['a', 'b'];
    assert_ne!(proxy.address_of_letters(&letters), Ok(letters.as_ptr() as u64));
    let colours = [Colour::Red, Colour::Blue];
    assert_ne!(proxy.address_of_colours(&colours), Ok(colours.as_ptr() as u64));
    let texts = ["a".to_owned()];
    assert_ne!(proxy.address_of_texts(&texts), Ok(texts.as_ptr() as u64));
}
