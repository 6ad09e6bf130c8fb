//! Contracts, types and plugins that are themselves made by macros.

#![deny(warnings)]
#![allow(unused_parens)]

/// Everything comes from the macro's arguments.
macro_rules! contract {
    (
        $name:literal, $version:literal, $vis:vis $trait:ident, $krate:path;
        $($(#[$attr:meta])* $method:ident($($arg:ident: $ty:ty),*) -> $result:ty;)*
    ) => {
        #[polyplug::contract(name = $name, version = $version, crate = $krate)]
        $vis trait $trait {
            $($(#[$attr])* fn $method(&self, $($arg: $ty),*) -> $result;)*
        }
    };
}

contract! {
    "pass.macro_rules", "1.1", pub(crate) Maths, ::polyplug;
    /// The sum.
    add(a: i32, b: i32) -> i32;
    greet(name: &str) -> String;
    sum(values: &[i64]) -> i64;
    norm(point: &Point) -> f64;
    longest(names: &Vec<String>) -> Option<String>;
    #[contract(since = "1.1")]
    twice(value: (Point)) -> Point;
}

macro_rules! record {
    ($name:ident { $($field:ident: $ty:ty),* }) => {
        #[derive(Debug, Clone, PartialEq, polyplug::Type)]
        struct $name {
            $($field: $ty,)*
        }
    };
}

record!(Point { x: f64, y: f64 });

macro_rules! variant {
    ($name:ident { $($case:ident($($ty:ty),*)),* }) => {
        #[derive(Debug, Clone, PartialEq, polyplug::Type)]
        enum $name {
            $($case($($ty),*),)*
        }
    };
}

variant!(Shape { Circle(Point, f64), Line(Point, Point) });

macro_rules! plugin {
    ($contract:path, $ty:ty, $create:path, { $($body:tt)* }) => {
        #[polyplug::plugin(create = $create, singleton)]
        impl $contract for $ty {
            $($body)*
        }
    };
}

struct Basic;

impl Basic {
    fn new(_: &polyplug::PluginContext) -> Result<Self, String> {
        Ok(Self)
    }
}

plugin!(self::Maths, Basic, Basic::new, {
    fn add(&self, a: i32, b: i32) -> i32 {
        a + b
    }
    fn greet(&self, name: &str) -> String {
        format!("Hello, {name}!")
    }
    fn sum(&self, values: &[i64]) -> i64 {
        values.iter().sum()
    }
    fn norm(&self, point: &Point) -> f64 {
        point.x.hypot(point.y)
    }
    fn longest(&self, names: &Vec<String>) -> Option<String> {
        names.iter().max_by_key(|name| name.len()).cloned()
    }
    fn twice(&self, value: Point) -> Point {
        Point { x: value.x * 2.0, y: value.y * 2.0 }
    }
});

/// Everything comes from the macro itself.
macro_rules! whole {
    ($contract:ident, $plugin:ident) => {
        #[polyplug::contract(name = "pass.macro_rules.whole", version = "1.0")]
        trait $contract {
            fn area(&self, shape: &Shape, scale: f64) -> Result<f64, Refused>;
        }

        #[derive(Debug, Clone, PartialEq, polyplug::Type)]
        struct Refused {
            reason: String,
        }

        #[derive(Default)]
        struct $plugin;

        #[polyplug::plugin]
        impl $contract for $plugin {
            fn area(&self, shape: &Shape, scale: f64) -> Result<f64, Refused> {
                match shape {
                    Shape::Circle(_, radius) => Ok(scale * radius * radius),
                    Shape::Line(..) => Err(Refused { reason: "a line has none".to_owned() }),
                }
            }
        }
    };
}

whole!(Areas, Measured);

fn main() {
    let runtime = polyplug::Runtime::builder().build().unwrap();
    runtime.load_linked_plugins().unwrap();
    let maths: MathsProxy = runtime.proxy::<dyn Maths>().unwrap();
    assert_eq!(maths.add(1, 2).unwrap(), 3);
    assert_eq!(maths.greet("Ada").unwrap(), "Hello, Ada!");
    assert_eq!(maths.sum(&[1, 2, 3]).unwrap(), 6);
    assert_eq!(maths.norm(&Point { x: 3.0, y: 4.0 }).unwrap(), 5.0);
    assert_eq!(maths.longest(&vec!["a".into(), "bb".into()]).unwrap(), Some("bb".into()));
    assert_eq!(maths.twice(Point { x: 1.0, y: 2.0 }).unwrap(), Point { x: 2.0, y: 4.0 });

    let areas = runtime.proxy::<dyn Areas>().unwrap();
    let centre = Point { x: 0.0, y: 0.0 };
    assert_eq!(areas.area(&Shape::Circle(centre.clone(), 2.0), 3.0).unwrap(), Ok(12.0));
    let line = Shape::Line(centre.clone(), centre);
    assert_eq!(areas.area(&line, 1.0).unwrap(), Err(Refused { reason: "a line has none".into() }));

    let schema = (<dyn Maths as polyplug::Contract>::info().schema)();
    assert_eq!(schema.methods[0].docs, "The sum.");
}
