//! The types of an item that cross, and the code that demands that they can.
//!
//! Generated code needs a type's implementation of `Type` in many places, and the compiler would report a missing one
//! at each of them. So the code asks in a constant whether there is one, and passes the answer on to the trait `Crosses`,
//! which every type has either way. One more place demands the implementation, and the compiler reports that one.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::{GenericArgument, PathArguments, Type, TypePath};

use crate::instead;
use crate::source::bare;
use crate::spans::{ends, item_of};

/// The types of an item, each once, as mentioned first.
#[derive(Default)]
pub(crate) struct Mentions {
    /// The types that cross as a whole.
    wholes: Vec<Type>,
    /// The types that `wholes` consist of.
    parts: Parts,
}

/// The types that other types consist of.
#[derive(Default)]
struct Parts {
    values: Vec<Type>,
    keys: Vec<Type>,
}

/// A type that crosses, as generated code uses it.
#[derive(Clone, Copy)]
pub(crate) struct Crossing(Option<usize>);

impl Crossing {
    /// A type that needs no check, or has one of its own.
    pub(crate) const KNOWN: Self = Self(None);

    /// Returns whether the type needs no check, as it consists of well-known ones.
    pub(crate) fn is_known(self) -> bool {
        self.0.is_none()
    }

    /// Returns the answer to the question whether the type can cross, as a generic argument.
    pub(crate) fn answer(self) -> TokenStream {
        match self.0 {
            None => quote!(true),
            Some(number) => {
                let answer = answer_name(number);
                quote!({ #answer })
            }
        }
    }

    /// Returns the trait by which generated code uses the type.
    pub(crate) fn via(self, krate: &TokenStream) -> TokenStream {
        let answer = self.answer();
        self.0.map_or_else(|| quote!(#krate::Type), |_| quote!(#krate::__private::Crosses<#answer>))
    }

    /// Returns the trait by which generated code uses the type behind the reference of an argument.
    pub(crate) fn via_argument(self, krate: &TokenStream) -> TokenStream {
        let answer = self.answer();
        self.0.map_or_else(|| quote!(#krate::types::Argument), |_| quote!(#krate::__private::Lends<#answer>))
    }
}

impl Mentions {
    /// Adds a type.
    pub(crate) fn add(&mut self, ty: &Type) -> Crossing {
        // A slice crosses if its elements do.
        let ty = match bare(ty) {
            Type::Slice(slice) => bare(&slice.elem),
            ty => ty,
        };
        let mut parts = Parts::default();
        parts.add(ty);
        if parts.values.is_empty() && parts.keys.is_empty() {
            return Crossing::KNOWN;
        }
        parts.values.iter().for_each(|part| add_once(&mut self.parts.values, part));
        parts.keys.iter().for_each(|part| add_once(&mut self.parts.keys, part));
        add_once(&mut self.wholes, ty);
        Crossing(self.wholes.iter().position(|known| same(known, ty)))
    }

    /// Makes the constants that hold the answers, and the demands.
    pub(crate) fn demands(&self, krate: &TokenStream) -> TokenStream {
        if self.wholes.is_empty() {
            return TokenStream::new();
        }
        let private = quote!(#krate::__private);
        let ask = |ty: &Type, item| item_of_check(&private, ty, item);
        let answers = self.wholes.iter().enumerate().map(|(number, ty)| {
            let (name, answer) = (answer_name(number), ask(ty, "CROSSES"));
            quote!(const #name: bool = #answer;)
        });
        let values = self.parts.values.iter().map(|ty| demand(krate, ty));
        let keys = self.parts.keys.iter().map(|ty| demand_key(&private, ty));
        // A type that is not what its name says, such as a `Vec` of the author's, need not cross if its parts do.
        let others = self.wholes.iter().enumerate().map(|(number, ty)| {
            let mut parts = Parts::default();
            parts.add(ty);
            let answer = answer_name(number);
            let parts = parts.values.iter().map(|ty| ask(ty, "CROSSES")).chain(parts.keys.iter().map(|ty| ask(ty, "IS_KEY")));
            let message = format!(
                "values of `{}` cannot cross between host and plugin, though what it consists of can: is it the type of \
                 the standard library?",
                crate::source::spelled(ty)
            );
            quote!(const _: () = ::core::assert!(#answer #(|| !#parts)*, #message);)
        });
        quote! {
            use #private::Otherwise as _;
            #(#answers)*
            #(#values)*
            #(#keys)*
            #(#others)*
        }
    }
}

impl Parts {
    /// Adds the types of which `ty` consists, but for those that are known to cross.
    fn add(&mut self, ty: &Type) {
        match bare(ty) {
            Type::Tuple(tuple) => tuple.elems.iter().for_each(|part| self.add(part)),
            Type::Path(path) => self.add_path(path),
            other => add_once(&mut self.values, other),
        }
    }

    fn add_path(&mut self, path: &TypePath) {
        let ty = Type::Path(path.clone());
        let last = path.path.segments.last().filter(|_| path.qself.is_none());
        let Some(last) = last else { return add_once(&mut self.values, &ty) };
        if path.path.get_ident().is_some_and(is_known) {
            return;
        }
        let PathArguments::AngleBracketed(arguments) = &last.arguments else { return add_once(&mut self.values, &ty) };
        let arguments: Vec<&Type> = arguments
            .args
            .iter()
            .filter_map(|argument| if let GenericArgument::Type(ty) = argument { Some(ty) } else { None })
            .collect();
        match (last.ident.to_string().as_str(), &arguments[..]) {
            ("Vec" | "Option" | "Box", [inner]) => self.add(inner),
            ("Result", [value, error]) => {
                self.add(value);
                self.add(error);
            }
            ("HashMap" | "BTreeMap", [key, value]) => {
                if !matches!(bare(key), Type::Path(path) if path.path.get_ident().is_some_and(is_known_key)) {
                    add_once(&mut self.keys, key);
                }
                self.add(value);
            }
            _ => add_once(&mut self.values, &ty),
        }
    }
}

fn answer_name(number: usize) -> Ident {
    format_ident!("__CROSSES_{number}", span = Span::call_site())
}

/// Makes the path of the constant `item` of `Check<ty>`.
fn item_of_check(private: &TokenStream, ty: &Type, item: &str) -> TokenStream {
    let item = Ident::new(item, Span::call_site());
    quote!(<#private::Check<#ty>>::#item)
}

/// Makes code that does not compile unless `ty` implements `Type`.
fn demand(krate: &TokenStream, ty: &Type) -> TokenStream {
    let Some((name, instead)) = instead::of(ty) else {
        let item = item_of(ty, &quote!(#krate::Type), "POINTS");
        return quote!(const _: bool = #item;);
    };
    // The type may be one of the author's that has the name of a well-known one, so the compiler decides.
    let message = format!("values of `{name}` cannot cross between host and plugin: {instead}");
    let item = item_of(ty, &quote!(__CanCross), "YES");
    quote! {
        const _: () = {
            #[diagnostic::on_unimplemented(message = #message, label = "does not implement `polyplug::Type`")]
            trait __CanCross {
                const YES: bool = true;
            }

            #[diagnostic::do_not_recommend]
            impl<__T: #krate::Type> __CanCross for __T {}

            const _: bool = #item;
        };
    }
}

/// Makes a call of the function that demands that `ty` can be the key of a map.
fn demand_key(private: &TokenStream, ty: &Type) -> TokenStream {
    let call = quote::quote_spanned!(ends(ty).0=> #private::demand_key::<#ty>());
    quote!(const _: () = #call;)
}

fn add_once(types: &mut Vec<Type>, ty: &Type) {
    if !types.iter().any(|known| same(known, ty)) {
        types.push(ty.clone());
    }
}

/// Returns whether two types are spelled alike.
fn same(one: &Type, other: &Type) -> bool {
    one.to_token_stream().to_string() == other.to_token_stream().to_string()
}

/// Returns whether a type of this name crosses.
fn is_known(name: &Ident) -> bool {
    is_known_key(name) || ["f32", "f64", "str"].iter().any(|known| name == known)
}

/// Returns whether a type of this name can be the key of a map.
fn is_known_key(name: &Ident) -> bool {
    const KNOWN: [&str; 11] = ["bool", "char", "i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "String"];
    KNOWN.iter().any(|known| name == known)
}
