//! Methods may be called like those that proxies, forms and std's traits have.

#![deny(warnings)]

#[polyplug::contract(name = "pass.method_names", version = "1.0")]
trait Names {
    fn clone(&self) -> i32;
    fn fmt(&self) -> i32;
    fn from(&self, a: i32) -> i32;
    fn into(&self) -> i32;
    fn drop(&self) -> i32;
    fn raw(&self) -> i32;
    fn call(&self, a: i32) -> i32;
    fn new(&self) -> i32;
    fn default(&self) -> i32;
    fn describe(&self, a: i32) -> i32;
    fn lower(&self, a: i32) -> i32;
    fn lift(&self, a: i32) -> i32;
    fn view(&self, a: &str) -> i32;
    fn info(&self) -> i32;
    fn bundle(&self) -> i32;
    fn bundle_name(&self) -> i32;
    fn refresh(&self) -> i32;
    fn make(&self) -> i32;
    fn create(&self) -> i32;
    fn serve(&self) -> i32;
    fn type_id(&self) -> i32;
    fn map_err(&self) -> i32;
    fn within(&self) -> i32;
    fn deref(&self) -> i32;
    fn borrow(&self) -> i32;
    fn to_string(&self) -> i32;
    fn as_ref(&self) -> i32;
    fn eq(&self, other: i32) -> i32;
    fn __schema(&self) -> i32;
    fn __entry_clone(&self) -> i32;
}

#[derive(Default)]
struct Plugin;

#[polyplug::plugin]
impl Names for Plugin {
    fn clone(&self) -> i32 {
        1
    }
    fn fmt(&self) -> i32 {
        2
    }
    fn from(&self, a: i32) -> i32 {
        a
    }
    fn into(&self) -> i32 {
        4
    }
    fn drop(&self) -> i32 {
        5
    }
    fn raw(&self) -> i32 {
        6
    }
    fn call(&self, a: i32) -> i32 {
        a
    }
    fn new(&self) -> i32 {
        8
    }
    fn default(&self) -> i32 {
        9
    }
    fn describe(&self, a: i32) -> i32 {
        a
    }
    fn lower(&self, a: i32) -> i32 {
        a
    }
    fn lift(&self, a: i32) -> i32 {
        a
    }
    fn view(&self, a: &str) -> i32 {
        a.len() as i32
    }
    fn info(&self) -> i32 {
        14
    }
    fn bundle(&self) -> i32 {
        15
    }
    fn bundle_name(&self) -> i32 {
        16
    }
    fn refresh(&self) -> i32 {
        17
    }
    fn make(&self) -> i32 {
        18
    }
    fn create(&self) -> i32 {
        19
    }
    fn serve(&self) -> i32 {
        20
    }
    fn type_id(&self) -> i32 {
        21
    }
    fn map_err(&self) -> i32 {
        22
    }
    fn within(&self) -> i32 {
        23
    }
    fn deref(&self) -> i32 {
        24
    }
    fn borrow(&self) -> i32 {
        25
    }
    fn to_string(&self) -> i32 {
        26
    }
    fn as_ref(&self) -> i32 {
        27
    }
    fn eq(&self, other: i32) -> i32 {
        other
    }
    fn __schema(&self) -> i32 {
        29
    }
    fn __entry_clone(&self) -> i32 {
        30
    }
}

fn main() {
    let runtime = polyplug::Runtime::builder().build().unwrap();
    runtime.load_linked_plugins().unwrap();
    let names = runtime.proxy::<dyn Names>().unwrap();
    let called = [
        names.clone(),
        names.fmt(),
        names.from(3),
        // `Into::into` takes its receiver by value, so Rust finds it first.
        NamesProxy::into(&names),
        names.drop(),
        names.raw(),
        names.call(7),
        names.new(),
        names.default(),
        names.describe(10),
        names.lower(11),
        names.lift(12),
        names.view("thirteen chrs"),
        names.info(),
        names.bundle(),
        names.bundle_name(),
        names.refresh(),
        names.make(),
        names.create(),
        names.serve(),
        names.type_id(),
        names.map_err(),
        names.within(),
        names.deref(),
        names.borrow(),
        names.to_string(),
        names.as_ref(),
        names.eq(28),
        names.__schema(),
        names.__entry_clone(),
    ];
    for (i, answer) in (1..).zip(called) {
        assert_eq!(answer.unwrap(), i);
    }
    let again = Clone::clone(&names);
    assert_eq!(again.call(1).unwrap(), 1);
    assert!(format!("{again:?}").contains("pass.method_names"));
    assert!(!polyplug::Proxy::bundle_name(&again).is_empty());
}
