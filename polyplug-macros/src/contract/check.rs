//! What a contract must not be.

use std::collections::HashMap;

use quote::ToTokens;
use syn::{FnArg, ReceiverKind, Safety, Signature};

use super::model::{Contract, Method, Passing};
use super::types::{Place, check_type};
use crate::errors::Errors;
use crate::source;

pub(super) fn check(contract: &Contract, errors: &mut Errors) {
    let item = &contract.item;
    if !item.generics.params.is_empty() || item.generics.where_clause.is_some() {
        errors.at(
            &item.generics,
            "a contract cannot be generic: plugins are compiled without knowing the host's types, so write the concrete ones",
        );
    }
    if let Some(keyword) = &item.unsafety {
        errors.at(keyword, "a contract cannot be an unsafe trait: other languages cannot promise anything to Rust");
    }
    if let Some(keyword) = &item.modifiers.auto_token {
        errors.at(keyword, "a contract cannot be an auto trait");
    }
    if contract.methods.is_empty() && item.items.is_empty() {
        errors.at(&item.ident, "a contract needs at least one method");
    }
    let mut names = HashMap::new();
    for method in &contract.methods {
        if names.insert(method.name.to_string(), ()).is_some() {
            errors.at(&method.name, format_args!("the contract has a method `{}` already", method.name));
        }
        check_method(method, errors);
    }
    check_since(contract, errors);
}

fn check_method(method: &Method, errors: &mut Errors) {
    let signature = &method.item.sig;
    check_signature(signature, errors);
    if let Some(cfg) = source::cfg(&method.item.attrs) {
        errors.at(
            cfg,
            "a contract's method cannot depend on #[cfg]: host and plugin would number the methods differently",
        );
    }
    for argument in &method.arguments {
        match &argument.passing {
            Passing::Value => check_type(&argument.ty, Place::Argument, errors),
            Passing::Reference(inner) => {
                if let syn::Type::Reference(reference) = &argument.ty {
                    if let Some(mutability) = &reference.mutability {
                        errors.at(
                            mutability,
                            "the callee cannot change what the caller owns: take the value and return the changed one",
                        );
                    }
                    if let Some(lifetime) = &reference.lifetime {
                        errors.at(lifetime, "arguments are borrowed for the call: leave the lifetime out");
                    }
                }
                check_type(inner, Place::Borrowed, errors);
            }
        }
    }
    check_type(&method.result, Place::Result, errors);
}

fn check_signature(signature: &Signature, errors: &mut Errors) {
    if let Some(keyword) = &signature.asyncness {
        errors.at(
            keyword,
            "a contract's method cannot be async: a future's layout is known to one compiler only; make it an ordinary method and call it from a blocking task",
        );
    }
    if !matches!(signature.safety, Safety::Default) {
        errors.at(
            &signature.safety,
            "a contract's method cannot be unsafe: other languages cannot promise anything to Rust",
        );
    }
    if let Some(keyword) = &signature.constness {
        errors.at(keyword, "a contract's method cannot be const: it runs in another library");
    }
    if let Some(abi) = &signature.abi {
        errors.at(abi, "a contract's method needs no ABI: the macro chooses it");
    }
    if let Some(variadic) = &signature.variadic {
        errors.at(variadic, "a contract's method cannot be variadic: take a `Vec`");
    }
    if !signature.generics.params.is_empty() {
        errors.at(
            &signature.generics,
            "a contract's method cannot be generic: the plugin is compiled without knowing the host's types, so write the concrete ones",
        );
    }
    if let Some(clause) = &signature.generics.where_clause {
        errors.at(clause, "a contract's method cannot have a `where` clause");
    }
    match signature.inputs.first() {
        Some(FnArg::Receiver(receiver)) => {
            match &receiver.kind {
                ReceiverKind::Reference(_, None, None) => {}
                ReceiverKind::Reference(_, _, Some(_)) => errors.at(
                    receiver,
                    "instances are shared between callers: take `&self` and keep what changes behind a `Mutex` or an atomic",
                ),
                ReceiverKind::Reference(_, Some(lifetime), None) => {
                    errors.at(lifetime, "a method of a contract takes plain `&self`: leave the lifetime out");
                }
                _ => errors.at(receiver, "a method of a contract takes `&self`: the host keeps the instance"),
            }
        }
        first => {
            let at = first.map_or_else(|| signature.ident.to_token_stream(), ToTokens::to_token_stream);
            errors.at(at, "a method of a contract takes `&self` first");
        }
    }
}

/// Methods are only ever appended, so `since` never goes down, and nothing comes from the future.
fn check_since(contract: &Contract, errors: &mut Errors) {
    let version = contract.args.version;
    let mut latest = 0;
    for method in &contract.methods {
        let since = method.since;
        match &method.since_at {
            Some(at) if since.major != version.major => errors.at(
                at,
                format_args!("the method cannot come from another major: the contract has version {}.{}", version.major, version.minor),
            ),
            Some(at) if since.minor > version.minor => errors.at(
                at,
                format_args!(
                    "the method cannot be newer than the contract, which has version {}.{}: raise the contract's version",
                    version.major, version.minor
                ),
            ),
            Some(at) if since.minor < latest => errors.at(
                at,
                format_args!("methods are only added at the end: the method before came with {}.{latest}", version.major),
            ),
            None if latest > 0 => errors.at(
                &method.name,
                format_args!(
                    "methods are only added at the end: the method before came with {0}.{latest}, so this one needs #[contract(since = \"{0}.{latest}\")] or later, or belongs before it",
                    version.major
                ),
            ),
            _ => {}
        }
        latest = latest.max(since.minor);
    }
}
