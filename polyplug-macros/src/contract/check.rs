//! The checks of a contract.

use std::collections::HashSet;

use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{FnArg, Receiver, ReceiverKind, Safety, Signature, TypeParamBound};

use super::model::{Argument, Contract, Method, Passing};
use super::types::{Place, check_type};
use crate::errors::Errors;
use crate::source;
use crate::version::ContractVersion;

pub(super) fn check(contract: &Contract, errors: &mut Errors) {
    check_trait(contract, errors);
    let mut names = HashSet::new();
    for method in &contract.methods {
        if !names.insert(method.name.unraw()) {
            errors.at(
                &method.name,
                format_args!("the contract has a method `{}` already: choose another name", method.name),
            );
        }
        check_method(method, errors);
    }
    check_since(contract, errors);
}

fn check_trait(contract: &Contract, errors: &mut Errors) {
    let item = &contract.item;
    if !item.generics.params.is_empty() {
        errors.at(
            &item.generics,
            "a contract cannot be generic: plugins are compiled without knowing the host's types; write the concrete ones",
        );
    }
    if let Some(clause) = &item.generics.where_clause {
        errors.at(
            clause,
            "a contract cannot have a `where` clause: leave it out, and write concrete types in the methods",
        );
    }
    if let Some(keyword) = &item.unsafety {
        errors.at(
            keyword,
            "a contract cannot be an unsafe trait: other languages cannot promise anything to Rust; leave `unsafe` out",
        );
    }
    if let Some(keyword) = &item.modifiers.auto_token {
        errors.at(keyword, "a contract cannot be an auto trait: leave `auto` out");
    }
    if item.items.is_empty() {
        errors.at(&item.ident, "a contract needs at least one method: add what plugins are to do");
    }
    for bound in &item.supertraits {
        if let Some(name) = not_for_objects(bound) {
            errors.at(
                bound,
                format_args!("a contract must work as `dyn {}`, which `{name}` prevents: leave it out; plugins may implement it all the same", item.ident),
            );
        }
    }
}

/// Returns the name of a well-known trait that cannot be a supertrait of a trait object.
pub(super) fn not_for_objects(bound: &TypeParamBound) -> Option<&'static str> {
    const NAMES: [&str; 9] = ["Clone", "Copy", "Default", "Eq", "Hash", "Ord", "PartialEq", "PartialOrd", "Sized"];
    let TypeParamBound::Trait(bound) = bound else { return None };
    let last = &bound.path.segments.last()?.ident;
    NAMES.into_iter().find(|name| last == name)
}

fn check_method(method: &Method, errors: &mut Errors) {
    check_signature(&method.item.sig, errors);
    if let Some(cfg) = source::cfg(&method.item.attrs) {
        errors.at(
            cfg,
            "a contract's method cannot depend on #[cfg]: host and plugin would number the methods differently; leave #[cfg] out, and return an error where the method cannot work",
        );
    }
    for argument in &method.arguments {
        check_argument(argument, errors);
    }
    check_type(&method.result, Place::Result, errors);
}

fn check_argument(argument: &Argument, errors: &mut Errors) {
    if let Some(cfg) = source::cfg(&argument.attrs) {
        errors
            .at(cfg, "an argument cannot depend on #[cfg]: host and plugin would disagree about it; leave #[cfg] out");
    }
    let reference = match &argument.passing {
        Passing::Value => return check_type(&argument.ty, Place::Argument, errors),
        Passing::Callback => return,
        Passing::Reference(reference)
        | Passing::Unsized(reference)
        | Passing::Object(reference)
        | Passing::CallbackReference(reference) => reference,
    };
    if let Some(mutability) = &reference.mutability {
        errors
            .at(mutability, "the callee cannot change what the caller owns: take the value and return the changed one");
    }
    if let Some(lifetime) = &reference.lifetime {
        errors.at(lifetime, "arguments are borrowed for the call and no longer: leave the lifetime out");
    }
    if !argument.is_object() {
        check_type(&reference.elem, Place::Borrowed, errors);
    }
}

fn check_signature(signature: &Signature, errors: &mut Errors) {
    if let Some(keyword) = &signature.asyncness {
        errors.at(
            keyword,
            "a contract's method cannot be async: a future's layout is known to one compiler only; make it an ordinary method, and call it from a blocking task",
        );
    }
    if !matches!(signature.safety, Safety::Default) {
        errors.at(
            &signature.safety,
            "a contract's method cannot be unsafe: other languages cannot promise anything to Rust; leave `unsafe` out",
        );
    }
    if let Some(keyword) = &signature.constness {
        errors.at(keyword, "a contract's method cannot be const: it runs in another library; leave `const` out");
    }
    if let Some(abi) = &signature.abi {
        errors.at(abi, "a contract's method needs no ABI: the macro chooses it; leave `extern` out");
    }
    if let Some(variadic) = &signature.variadic {
        errors.at(variadic, "a contract's method cannot be variadic: take a `Vec`");
    }
    if signature.generics.type_params().next().is_some() || signature.generics.const_params().next().is_some() {
        errors.at(
            &signature.generics,
            "a contract's method cannot be generic: the plugin is compiled without knowing the host's types; write the concrete ones",
        );
    } else if !signature.generics.params.is_empty() {
        errors.at(
            &signature.generics,
            "arguments are borrowed for the call, and results are owned: leave the lifetimes out",
        );
    }
    if let Some(clause) = &signature.generics.where_clause {
        errors.at(clause, "a contract's method cannot have a `where` clause: leave it out, and write concrete types");
    }
    match signature.inputs.first() {
        Some(FnArg::Receiver(receiver)) => check_receiver(receiver, errors),
        _ => errors.at(&signature.ident, "a contract's method is called on an instance: take `&self` first"),
    }
}

fn check_receiver(receiver: &Receiver, errors: &mut Errors) {
    match &receiver.kind {
        ReceiverKind::Reference(_, None, None) => {}
        ReceiverKind::Reference(_, _, Some(_)) => errors.at(
            receiver,
            "instances are shared between callers: take `&self`, and keep what changes behind a `Mutex` or an atomic",
        ),
        ReceiverKind::Reference(_, Some(lifetime), None) => {
            errors.at(lifetime, "what a method returns is never borrowed from its instance: take `&self`");
        }
        _ => errors.at(receiver.to_token_stream(), "the host keeps the instance: take `&self`"),
    }
}

/// Checks that `since` never decreases from one method to the next, because methods are only added at the end, and that
/// no method is newer than the contract.
fn check_since(contract: &Contract, errors: &mut Errors) {
    let version = contract.args.version;
    if version == ContractVersion::UNKNOWN {
        return;
    }
    let ContractVersion { major, minor } = version;
    let mut latest = 0;
    for method in contract.methods.iter().filter(|method| method.since != ContractVersion::UNKNOWN) {
        let since = method.since;
        match &method.since_at {
            Some(at) if since.major != major => errors.at(
                at,
                format_args!(
                    "a method cannot come from another major than its contract, which has version {major}.{minor}: write the minor it came with, such as \"{major}.{minor}\""
                ),
            ),
            Some(at) if since.minor > minor => errors.at(
                at,
                format_args!(
                    "a method cannot be newer than its contract, which has version {major}.{minor}: raise the contract's version to \"{major}.{}\"",
                    since.minor
                ),
            ),
            Some(at) if since.minor < latest => errors.at(
                at,
                format_args!(
                    "methods are only added at the end, and the one before came with {major}.{latest}: move this one up, or write \"{major}.{latest}\" or later"
                ),
            ),
            None if latest > 0 => errors.at(
                &method.name,
                format_args!(
                    "methods are only added at the end, and the one before came with {major}.{latest}: move this one up, or write #[contract(since = \"{major}.{latest}\")] or later"
                ),
            ),
            _ => {}
        }
        if since.major == major {
            latest = latest.max(since.minor.min(minor));
        }
    }
}
