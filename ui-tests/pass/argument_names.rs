//! Arguments may be called like the variables of the expansions.

#![deny(warnings)]

#[polyplug::contract(name = "pass.argument_names", version = "1.0")]
trait Names {
    fn shown(&self, to: i32, self_: i32, instance: i32, args: i32, out: i32, arena: i32, out_err: i32, error: i32) -> i32;
    fn hidden(&self, __to: i32, __needs_arena: String, __this: &str, __arguments: &[i32], __held_0: i32) -> i32;
    fn forms(&self, __canon_0: i32, __canon_1: &str, __canon: i32, __depth: i32, __error: i32, __types: i32) -> i32;
    fn words(&self, raw: i32, call: i32, types: i32, krate: i32, private: i32, f: i32, index: i32, proxy: i32) -> i32;
    fn changed(&self, mut a: i32) -> i32 {
        a += 1;
        a
    }
}

#[derive(Debug, Clone, PartialEq, polyplug::Type)]
struct Fields {
    to: i32,
    __to: i32,
    __canon: i32,
    __canon_0: String,
    __depth: i32,
    __types: i32,
    error: i32,
    tag: i32,
    payload: i32,
}

#[derive(Debug, Clone, PartialEq, polyplug::Type)]
enum Cases {
    Named { __to: i32, __canon: i32, __canon_0: i32, __field_0: i32, __case: i32, tag: i32, payload: i32 },
    __Canon(i32),
    __Payload { __tag: i32 },
}

#[polyplug::contract(name = "pass.field_names", version = "1.0")]
trait FieldNames {
    fn fields(&self, fields: &Fields) -> Fields;
    fn cases(&self, cases: Cases) -> Cases;
}

#[derive(Default)]
struct Plugin;

#[polyplug::plugin]
impl Names for Plugin {
    fn shown(&self, to: i32, self_: i32, instance: i32, args: i32, out: i32, arena: i32, out_err: i32, error: i32) -> i32 {
        [to, self_, instance, args, out, arena, out_err, error].into_iter().fold(0, |sum, digit| sum * 10 + digit)
    }
    fn hidden(&self, __to: i32, __needs_arena: String, __this: &str, __arguments: &[i32], __held_0: i32) -> i32 {
        __to + __needs_arena.len() as i32 + __this.len() as i32 + __arguments[0] + __held_0
    }
    fn forms(&self, __canon_0: i32, __canon_1: &str, __canon: i32, __depth: i32, __error: i32, __types: i32) -> i32 {
        __canon_0 + __canon_1.len() as i32 + __canon + __depth + __error + __types
    }
    fn words(&self, raw: i32, call: i32, types: i32, krate: i32, private: i32, f: i32, index: i32, proxy: i32) -> i32 {
        [raw, call, types, krate, private, f, index, proxy].into_iter().sum()
    }
}

#[polyplug::plugin]
impl FieldNames for Plugin {
    fn fields(&self, fields: &Fields) -> Fields {
        fields.clone()
    }
    fn cases(&self, cases: Cases) -> Cases {
        cases
    }
}

fn main() {
    let runtime = polyplug::Runtime::builder().build().unwrap();
    runtime.load_linked_plugins().unwrap();
    let names = runtime.proxy::<dyn Names>().unwrap();
    assert_eq!(names.shown(1, 2, 3, 4, 5, 6, 7, 8).unwrap(), 12_345_678);
    assert_eq!(names.hidden(1, "22".into(), "333", &[4], 5).unwrap(), 15);
    assert_eq!(names.forms(1, "22", 3, 4, 5, 6).unwrap(), 21);
    assert_eq!(names.words(1, 2, 3, 4, 5, 6, 7, 8).unwrap(), 36);
    assert_eq!(names.changed(1).unwrap(), 2);
    let proxy = runtime.proxy::<dyn FieldNames>().unwrap();
    let fields = Fields {
        to: 1,
        __to: 2,
        __canon: 3,
        __canon_0: "4".into(),
        __depth: 5,
        __types: 6,
        error: 7,
        tag: 8,
        payload: 9,
    };
    assert_eq!(proxy.fields(&fields).unwrap(), fields);
    let named = Cases::Named { __to: 1, __canon: 2, __canon_0: 3, __field_0: 4, __case: 5, tag: 6, payload: 7 };
    for cases in [named, Cases::__Canon(8), Cases::__Payload { __tag: 9 }] {
        assert_eq!(proxy.cases(cases.clone()).unwrap(), cases);
    }
}
