//! What a plugin of any language is made of.

use std::path::Path;

use anyhow::Result;
use polyplug::schema::{Method, Schema, TypeRef};

use super::files::{Files, type_name};
use super::values::{self, Spelling};
use crate::bundle::Contracts;
use crate::contracts;
use crate::languages::{Language, stubs};

/// A plugin that is to be made.
pub(crate) struct Plugin<'a> {
    /// The name of the bundle and of the project.
    pub(crate) name: &'a str,
    /// The folder of the project.
    pub(crate) folder: &'a Path,
    /// The contract.
    pub(crate) schema: &'a Schema,
    /// The folder of the Rust crate that has the contract, if the contract comes from one.
    pub(crate) contracts_crate: Option<&'a Path>,
}

impl Plugin<'_> {
    /// Returns the contract's name with its major version.
    pub(crate) fn contract(&self) -> String {
        contracts::key(self.schema)
    }

    /// Returns the name of a type for the plugin: `WordCount` for `word-count`.
    pub(crate) fn type_name(&self) -> String {
        type_name(self.name)
    }

    /// Returns the text of the manifest.
    pub(crate) fn manifest(&self, loader: &str, file: &str) -> String {
        format!("name = \"{}\"\nversion = \"0.1.0\"\nloader = \"{loader}\"\nfile = \"{file}\"\n", self.name)
    }

    /// Returns the text that a method returns where its result has one.
    pub(crate) fn answer(&self, method: &Method) -> String {
        format!("{} of {}", method.name, self.name)
    }

    /// Adds the contract's schema file, with which tools know the contract without its host.
    pub(crate) fn add_schema(&self, files: &mut Files, folder: &str) {
        files.add(format!("{folder}{}.schema", self.contract()), self.schema.encode());
    }

    /// Adds the stubs of the contract, by which editors and checkers know its types.
    pub(crate) fn add_stubs(&self, files: &mut Files, language: Language, folder: &str) -> Result<()> {
        let contracts = Contracts::from([(self.contract(), self.schema.clone())]);
        for (path, text) in stubs(language, &contracts)? {
            files.add(format!("{folder}{path}"), text);
        }
        Ok(())
    }

    /// Adds a page that says how the project is used.
    pub(crate) fn add_readme(&self, files: &mut Files, steps: &str) {
        let text = format!(
            "# {}\n\nA plugin for the contract `{}`.\n\n```sh\n{steps}```\n\nThe [book of \
             polyplug](https://github.com/polyplug/polyplug/tree/main/docs/src) has a page for each language.\n",
            self.name,
            self.contract()
        );
        files.add("README.md", text);
    }
}

/// A call for a test: a method whose arguments and result have obvious values.
pub(super) struct Probe<'a> {
    pub(super) method: &'a Method,
    pub(super) arguments: Vec<String>,
    /// The result of the method as it is made.
    pub(super) result: String,
}

impl Plugin<'_> {
    /// Returns a call of the first method that `answers` and that a test can call. `is_simple` tells of each value whether a
    /// test can have it.
    pub(super) fn probe(
        &self,
        of: &impl Spelling,
        answers: impl Fn(&Method) -> bool,
        is_simple: impl Fn(&str) -> bool,
    ) -> Option<Probe<'_>> {
        self.schema.methods.iter().filter(|method| answers(method)).find_map(|method| {
            let value = |ty, text: &str| values::value(of, self.schema, ty, text).filter(|value| is_simple(value));
            let arguments =
                method.arguments.iter().map(|argument| value(&argument.ty, "Ada")).collect::<Option<_>>()?;
            let result = value(&method.result, &self.answer(method))?;
            (method.result != TypeRef::Unit).then_some(Probe { method, arguments, result })
        })
    }
}

/// Returns the documentation of a method as lines with `prefix`, or none.
pub(crate) fn docs(method: &Method, prefix: &str) -> String {
    method.docs.lines().map(|line| format!("{prefix} {line}").trim_end().to_owned() + "\n").collect()
}
