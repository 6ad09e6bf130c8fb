//! Types of the author's may be called like those of the prelude.

#![deny(warnings)]

mod types {
    #[derive(Clone, Debug, PartialEq, polyplug::Type)]
    pub struct Result {
        pub value: i64,
    }
    #[derive(Clone, Debug, PartialEq, polyplug::Type)]
    pub struct Option {
        pub set: bool,
    }
    #[derive(Clone, Debug, PartialEq, polyplug::Type)]
    pub struct Vec {
        pub x: f64,
        pub y: f64,
    }
    #[derive(Clone, Debug, PartialEq, polyplug::Type)]
    pub struct String {
        pub length: u32,
    }
    #[derive(Clone, Debug, PartialEq, polyplug::Type)]
    pub enum Box {
        Some,
        None,
        Ok(i32),
        Err { box_: std::string::String },
    }
    #[derive(Clone, Debug, PartialEq, polyplug::Type)]
    pub enum Some {
        None,
        Ok,
    }
    #[derive(Clone, Debug, PartialEq, polyplug::Type)]
    pub struct Ok(pub std::vec::Vec<Err>);
    #[derive(Clone, Debug, PartialEq, polyplug::Type)]
    pub struct Err(pub u8, pub u32);
}

mod markers {
    pub trait Send {}
    pub trait Sync {}
    pub trait Clone {}
    pub trait Copy {}
    pub trait From {}
    pub trait Into {}
    pub trait Default {}
    pub trait Drop {}
    pub trait Fn {}
    pub trait FnOnce {}
    pub trait Sized {}
    pub trait Iterator {}
    pub trait Debug {}
    pub trait Display {}
    pub trait Type {}
    pub trait Proxy {}
    pub trait Contract {}
    pub trait Dispatch {}
    pub trait Argument {}
}

mod contract {
    #[allow(unused_imports)]
    use super::markers::*;
    use super::types::*;

    #[polyplug::contract(name = "pass.prelude_names", version = "1.0")]
    pub trait Names {
        fn result(&self, value: Result) -> Result;
        fn option(&self, value: &Option) -> Option;
        fn vec(&self, value: Vec, values: &[Vec]) -> Vec;
        fn string(&self, value: &String) -> String;
        fn boxed(&self, value: &Box) -> Box;
        fn some(&self, value: Some) -> Some;
        fn ok(&self, value: Ok) -> Ok;
    }

    pub struct Echo;

    fn make(_: &polyplug::PluginContext) -> core::result::Result<Echo, std::string::String> {
        core::result::Result::Ok(Echo)
    }

    #[polyplug::plugin(create = make)]
    impl Names for Echo {
        fn result(&self, value: Result) -> Result {
            value
        }
        fn option(&self, value: &Option) -> Option {
            core::clone::Clone::clone(value)
        }
        fn vec(&self, value: Vec, values: &[Vec]) -> Vec {
            Vec { x: value.x + values[0].x, y: value.y + values[0].y }
        }
        fn string(&self, value: &String) -> String {
            core::clone::Clone::clone(value)
        }
        fn boxed(&self, value: &Box) -> Box {
            core::clone::Clone::clone(value)
        }
        fn some(&self, value: Some) -> Some {
            value
        }
        fn ok(&self, value: Ok) -> Ok {
            value
        }
    }
}

fn main() {
    let runtime = polyplug::Runtime::builder().build().unwrap();
    runtime.load_linked_plugins().unwrap();
    let names = runtime.proxy::<dyn contract::Names>().unwrap();
    assert_eq!(names.result(types::Result { value: 1 }).unwrap().value, 1);
    assert_eq!(names.option(&types::Option { set: true }).unwrap(), types::Option { set: true });
    let vec = types::Vec { x: 1.0, y: 2.0 };
    assert_eq!(names.vec(vec.clone(), &[vec]).unwrap(), types::Vec { x: 2.0, y: 4.0 });
    assert_eq!(names.string(&types::String { length: 3 }).unwrap().length, 3);
    let all = [types::Box::Some, types::Box::None, types::Box::Ok(1), types::Box::Err { box_: "x".into() }];
    for value in all {
        assert_eq!(names.boxed(&value).unwrap(), value);
    }
    assert_eq!(names.some(types::Some::Ok).unwrap(), types::Some::Ok);
    assert_eq!(names.some(types::Some::None).unwrap(), types::Some::None);
    let ok = types::Ok(vec![types::Err(1, 2)]);
    assert_eq!(names.ok(ok.clone()).unwrap(), ok);
}
