//! What keeps a contract from being spelled in a language.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use polyplug::schema::{Field, Method, Schema, Shape};

use super::language::Language;
use super::names::{self, Part, interface, is_identifier, module, space};
use super::parts;
use crate::bundle::Contracts;

/// Checks that the language has a spelling for each name of the contracts, and another one for each other name.
pub(super) fn check(language: Language, contracts: &Contracts) -> Result<()> {
    let mut spelled: BTreeMap<String, &str> = BTreeMap::new();
    for (key, schema) in contracts {
        let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-');
        if schema.name.is_empty() || !schema.name.chars().all(plain) {
            bail!("`{}` is no name of a contract: letters, digits, `.`, `_` and `-` are", schema.name.escape_debug());
        }
        let names = match language {
            Language::Ts | Language::Csharp | Language::Lua => vec![space(&schema.name, schema.major)],
            Language::Python => vec![module(&schema.name, schema.major), space(&schema.name, schema.major)],
            // The names of macros have no small letters.
            Language::C => {
                vec![
                    module(&schema.name, schema.major).to_uppercase(),
                    space(&schema.name, schema.major).to_uppercase(),
                ]
            }
        };
        for name in names {
            if let Some(other) = spelled.insert(name.clone(), key)
                && other != key
            {
                bail!(
                    "the contracts `{other}` and `{key}` are both `{name}` in {}: make the stubs of one at a time, \
                     into folders of their own",
                    language.title()
                );
            }
        }
        Checking { language, key, schema }.all()?;
    }
    Ok(())
}

struct Checking<'a> {
    language: Language,
    key: &'a str,
    schema: &'a Schema,
}

impl Checking<'_> {
    fn all(&self) -> Result<()> {
        let values = self.schema.types.iter().filter(|each| !matches!(each.shape, Shape::Object(_)));
        self.distinct(Part::Type, "the contract", values.map(|definition| definition.name.as_str()))?;
        for definition in &self.schema.types {
            let is_object = matches!(definition.shape, Shape::Object(_));
            if !is_object && self.language != Language::C && self.language.is_keyword(&definition.name) {
                bail!(
                    "{}: the type `{}` has the name of a keyword of {}, and cannot have another: give it another name \
                     in the contract, which changes nothing else",
                    self.key,
                    definition.name,
                    self.language.title()
                );
            }
            let of = format!("`{}`", definition.name);
            match &definition.shape {
                Shape::Record(fields) => self.fields(&of, fields)?,
                Shape::Enum(cases) | Shape::Variant(cases) => {
                    self.distinct(Part::Case, &of, cases.iter().map(|case| case.name.as_str()))?;
                    for case in cases {
                        self.fields(&format!("`{}.{}`", definition.name, case.name), &case.fields)?;
                    }
                }
                Shape::Object(object) => {
                    let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-');
                    if !object.contract.chars().all(plain) {
                        bail!("{}: `{}` is no name of a contract", self.key, object.contract.escape_debug());
                    }
                    self.methods(&of, &object.methods)?;
                }
            }
        }
        self.made()?;
        self.methods("the contract", &self.schema.methods)
    }

    /// Checks that no type has the name of one that the stubs add.
    fn made(&self) -> Result<()> {
        let objects = parts::objects(self.schema).map(|(name, _, _)| name);
        let proxies = objects.chain([interface(self.schema)]).map(|name| format!("{name}Proxy"));
        let added: Vec<String> = match self.language {
            Language::Python | Language::Ts | Language::Lua => proxies.chain(["Types".to_owned()]).collect(),
            Language::Csharp => {
                let objects = parts::objects(self.schema).map(|(name, _, _)| name);
                objects.chain([interface(self.schema)]).map(|name| format!("I{name}")).collect()
            }
            Language::C => Vec::new(),
        };
        match self.schema.types.iter().find(|definition| added.contains(&definition.name)) {
            Some(definition) if !matches!(definition.shape, Shape::Object(_)) => bail!(
                "{}: the type `{}` has a name that stubs for {} use themselves: give it another name in the contract, \
                 which changes nothing else",
                self.key,
                definition.name,
                self.language.title()
            ),
            _ => Ok(()),
        }
    }

    fn methods(&self, of: &str, methods: &[Method]) -> Result<()> {
        self.distinct(Part::Method, of, methods.iter().map(|method| method.name.as_str()))?;
        for method in methods {
            let of = format!("`{}`", method.name);
            self.distinct(Part::Argument, &of, method.arguments.iter().map(|field| field.name.as_str()))?;
        }
        Ok(())
    }

    fn fields(&self, of: &str, fields: &[Field]) -> Result<()> {
        if parts::are_numbered(fields) {
            if fields.iter().enumerate().any(|(number, field)| field.name != number.to_string()) {
                bail!("{}: the fields of {of} have numbers and names", self.key);
            }
            return Ok(());
        }
        self.distinct(Part::Field, of, fields.iter().map(|field| field.name.as_str()))
    }

    fn distinct<'a>(&self, part: Part, of: &str, names: impl Iterator<Item = &'a str>) -> Result<()> {
        let mut spelled: BTreeMap<String, &str> = BTreeMap::new();
        for name in names {
            if !is_identifier(name) {
                bail!(
                    "{}: among the {} of {of} is `{}`, which is no name in {}: names have letters, digits and `_`",
                    self.key,
                    part.plural(),
                    name.escape_debug(),
                    self.language.title()
                );
            }
            let spelling = self.language.spell(part, name);
            if !is_identifier(spelling.trim_start_matches('@')) {
                bail!(
                    "{}: `{name}` among the {} of {of} has no letters for a name in {}",
                    self.key,
                    part.plural(),
                    self.language.title()
                );
            }
            // Macros of C have the names of methods and cases in capitals, and C# has no two members of one name.
            let spelling = if self.language == Language::C && matches!(part, Part::Method | Part::Case) {
                names::snake(&spelling).to_uppercase()
            } else {
                spelling
            };
            if let Some(other) = spelled.insert(spelling.clone(), name) {
                bail!(
                    "{}: the {} `{other}` and `{name}` of {of} are both `{spelling}` in {}: give one of them another \
                     name in the contract",
                    self.key,
                    part.plural(),
                    self.language.title()
                );
            }
        }
        Ok(())
    }
}
