//! Tests that compare the expansions of the macros with the recordings in `snapshots/`, and that the expansions are
//! valid Rust.
//!
//! After a change, record the expansions with `INSTA_UPDATE=always cargo test --package polyplug-macros`, and check the
//! difference with `git diff`.

use proc_macro2::TokenStream;
use quote::quote;

/// Formats an expansion like hand-written code.
fn pretty(expansion: TokenStream) -> String {
    prettyplease::unparse(&syn::parse2(expansion).expect("an expansion is Rust"))
}

#[test]
fn a_contract() {
    let expansion = crate::contract::contract(
        quote!(name = "demo.calculator", version = "1.1"),
        quote! {
            /// Calculates.
            pub trait Calculator {
                /// The sum.
                fn add(&self, a: i32, b: i32) -> i32;
                /// Greets everybody.
                #[contract(since = "1.1")]
                fn greet(&self, names: &[String], style: &Style, mark: Option<char>) -> Result<String, Refusal>;
            }
        },
    );
    insta::assert_snapshot!(pretty(expansion));
}

#[test]
fn a_contract_of_another_polyplug() {
    let expansion = crate::contract::contract(
        quote!(name = "demo.clock", version = "0.1", crate = crate::plugins),
        quote! {
            #[deprecated]
            #[allow(deprecated)]
            trait r#async {
                #[expect(non_snake_case)]
                fn r#type(&self, r#fn: &str);
            }
        },
    );
    insta::assert_snapshot!(pretty(expansion));
}

#[test]
fn a_plugin() {
    let expansion = crate::plugin::plugin(
        quote!(),
        quote! {
            impl Calculator for Basic {
                fn add(&self, a: i32, b: i32) -> i32 {
                    a + b
                }
            }
        },
    );
    insta::assert_snapshot!(pretty(expansion));
}

#[test]
fn a_plugin_with_options() {
    let expansion = crate::plugin::plugin(
        quote!(create = Basic::new, singleton, migrate, health = ready, name = "basic", crate = crate::plugins),
        quote! {
            #[allow(deprecated)]
            impl contracts::Calculator for inner::Basic {
                fn add(&self, a: i32, b: i32) -> i32 {
                    a + b
                }
            }
        },
    );
    insta::assert_snapshot!(pretty(expansion));
}

#[test]
fn a_function_for_the_unload() {
    let expansion = crate::on_unload::on_unload(
        quote!(crate = crate::plugins),
        quote! {
            fn stop(context: &PluginContext) {
                POOL.end();
            }
        },
    );
    insta::assert_snapshot!(pretty(expansion));
}

#[test]
fn mistakes_of_functions_for_the_unload_are_named() {
    for (function, expected) in [
        (
            quote!(
                async fn stop() {}
            ),
            "is not async",
        ),
        (
            quote!(
                unsafe fn stop() {}
            ),
            "leave `unsafe` out",
        ),
        (
            quote!(
                fn stop<T>() {}
            ),
            "cannot be generic",
        ),
        (
            quote!(
                fn stop(a: &PluginContext, b: u8) {}
            ),
            "takes no argument, or one",
        ),
        (
            quote!(
                fn stop(&self) {}
            ),
            "leave `self` out",
        ),
        (
            quote!(
                struct Stop;
            ),
            "belongs on a function that is not a method",
        ),
    ] {
        let expansion = crate::on_unload::on_unload(quote!(), function).to_string();
        assert!(expansion.contains("compile_error") && expansion.contains(expected), "{expansion}");
    }
}

#[test]
fn a_record() {
    let expansion = crate::derive::derive_type(quote! {
        /// A place.
        pub struct Point {
            /// To the right.
            pub x: f64,
            pub label: Option<String>,
            pub r#type: Vec<Self>,
        }
    });
    insta::assert_snapshot!(pretty(expansion));
}

#[test]
fn an_enum() {
    let expansion = crate::derive::derive_type(quote! {
        enum Colour {
            /// Like fire.
            Red,
            Green,
        }
    });
    insta::assert_snapshot!(pretty(expansion));
}

#[test]
fn a_variant() {
    let expansion = crate::derive::derive_type(quote! {
        enum Shape {
            Empty,
            Circle { centre: Point, radius: f64 },
            Polygon(Vec<Point>),
        }
    });
    insta::assert_snapshot!(pretty(expansion));
}

#[test]
fn mistakes_leave_the_item_in_place() {
    let expansion = pretty(crate::contract::contract(
        quote!(name = "demo.clock"),
        quote! {
            trait Clock {
                fn now(&mut self) -> usize;
            }
        },
    ));
    assert!(expansion.contains("trait Clock"));
    assert_eq!(expansion.matches("compile_error").count(), 3, "{expansion}");
}

#[test]
fn slips_of_the_pen_are_recognised() {
    for (written, answer) in [
        ("nam", "`contract` has no `nam`: did you mean `name`?"),
        ("versoin", "`contract` has no `versoin`: did you mean `version`?"),
        ("krate", "`contract` has no `krate`: did you mean `crate`?"),
        ("singleton", "`contract` has no `singleton`: it takes `name`, `version`, `crate`"),
    ] {
        let key: TokenStream = written.parse().unwrap();
        let expansion = pretty(crate::contract::contract(
            quote!(name = "a", version = "1.0", #key = "x"),
            quote!(
                trait A {
                    fn a(&self);
                }
            ),
        ));
        assert!(expansion.contains(answer), "{expansion}");
    }
}
