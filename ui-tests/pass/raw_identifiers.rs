//! Keywords as names.

#![deny(warnings)]
#![allow(non_camel_case_types)]

#[polyplug::contract(name = "pass.raw_identifiers", version = "1.1")]
trait r#impl {
    fn r#type(&self, r#match: i32, r#fn: &str) -> i32;
    fn r#async(&self, r#struct: &Keywords) -> Keywords;
    #[contract(since = "1.1")]
    fn r#move(&self, r#dyn: Case) -> Case;
}

#[derive(Clone, Debug, PartialEq, polyplug::Type)]
struct Keywords {
    r#type: i32,
    r#ref: String,
}

#[derive(Clone, Debug, PartialEq, polyplug::Type)]
enum Case {
    r#loop,
    r#where(i32),
    r#in { r#for: i32 },
}

#[derive(Clone, Debug, PartialEq, polyplug::Type)]
struct r#enum(u8);

#[derive(Default)]
struct r#trait;

#[polyplug::plugin]
impl r#impl for r#trait {
    fn r#type(&self, r#match: i32, r#fn: &str) -> i32 {
        r#match + r#fn.len() as i32
    }
    fn r#async(&self, r#struct: &Keywords) -> Keywords {
        r#struct.clone()
    }
    fn r#move(&self, r#dyn: Case) -> Case {
        r#dyn
    }
}

fn main() {
    let runtime = polyplug::Runtime::builder().build().unwrap();
    runtime.load_linked_plugins().unwrap();
    let proxy: implProxy = runtime.proxy::<dyn r#impl>().unwrap();
    assert_eq!(proxy.r#type(1, "two").unwrap(), 4);
    let keywords = Keywords { r#type: 1, r#ref: "x".into() };
    assert_eq!(proxy.r#async(&keywords).unwrap(), keywords);
    for case in [Case::r#loop, Case::r#where(1), Case::r#in { r#for: 2 }] {
        assert_eq!(proxy.r#move(case.clone()).unwrap(), case);
    }

    // Other languages see the words.
    let schema = (<dyn r#impl as polyplug::Contract>::info().schema)();
    let names: Vec<&str> = schema.methods.iter().map(|method| &*method.name).collect();
    assert_eq!(names, ["type", "async", "move"]);
    assert_eq!(schema.methods[0].arguments[0].name, "match");
    assert_eq!(schema.types.iter().map(|ty| &*ty.name).collect::<Vec<_>>(), ["Keywords", "Case"]);
    assert!(!format!("{schema:?}").contains("r#"));
    assert_eq!(r#enum(1), r#enum(1));
}
