//! The arguments of `#[plugin]`.

use proc_macro2::TokenStream;
use syn::{LitStr, Path};

use crate::args::{Args, Key, Kind};
use crate::errors::Errors;

pub(super) struct PluginArgs {
    pub(super) name: Option<LitStr>,
    pub(super) create: Option<Path>,
    pub(super) singleton: bool,
    pub(super) migrate: bool,
    pub(super) health: Option<Path>,
    pub(super) krate: TokenStream,
}

const KEYS: &[Key] = &[
    Key { name: "create", kind: Kind::Path },
    Key { name: "singleton", kind: Kind::Flag },
    Key { name: "migrate", kind: Kind::Flag },
    Key { name: "health", kind: Kind::Path },
    Key { name: "name", kind: Kind::Text },
    Key { name: "crate", kind: Kind::Path },
];

impl PluginArgs {
    pub(super) fn parse(tokens: TokenStream, errors: &mut Errors) -> Self {
        let args = Args::parse(tokens, "plugin", KEYS, errors);
        let name = args.text("name").cloned();
        if let Some(name) = name.as_ref().filter(|name| name.value().trim().is_empty()) {
            errors.at(name, "the name of a plugin cannot be empty: leave `name` out to use the type's name");
        }
        Self {
            name,
            create: args.path("create").cloned(),
            singleton: args.flag("singleton"),
            migrate: args.flag("migrate"),
            health: args.path("health").cloned(),
            krate: args.krate(),
        }
    }
}
