//! The plugins that a bundle's code declares.

use polyplug::engine::PluginDecl;

use crate::js::{Pending, Value};

/// A plugin that a bundle's code has declared.
pub(crate) struct Class {
    pub(crate) contract: String,
    pub(crate) name: Option<String>,
    pub(crate) is_singleton: bool,
    pub(crate) is_stateless: bool,
    /// The file and line of the declaration.
    pub(crate) place: Option<String>,
    /// The class whose instances have the methods, or the object that has them.
    pub(crate) target: Value,
}

impl Class {
    /// Returns whether the target is a class, whose constructor makes instances.
    pub(crate) fn is_constructed(&self) -> bool {
        self.target.is_constructor()
    }

    /// Returns the object that has the methods: the prototype of a class, or the object itself.
    pub(crate) fn methods(&self) -> Result<Value, Pending> {
        if self.is_constructed() {
            self.target.js().get_named(&self.target, c"prototype")
        } else {
            Ok(self.target.share())
        }
    }

    /// Returns the declaration, with the names of the methods that the target has now.
    pub(crate) fn declared(&self) -> Result<PluginDecl, Pending> {
        let js = self.target.js();
        let target = self.methods()?;
        let (mut methods, mut level) = (Vec::new(), target.share());
        for number in 0..MAX_LEVELS {
            let next = js.prototype(&level)?;
            // The last prototype is that of all objects.
            if number == 0 || next.is_object() {
                for name in js.all_names(&level)? {
                    // Names of accessors that fail are no methods.
                    match js.get(&target, &name) {
                        Ok(value) if value.is_function() => methods.push(js.name(&name)?.shown()?),
                        Ok(_) => {}
                        Err(pending) => drop(js.exception(pending)),
                    }
                }
            }
            if !next.is_object() {
                break;
            }
            level = next;
        }
        methods.retain(|name| name != "constructor");
        let has = |name: &str| methods.iter().any(|method| method == name);
        let keeps_state = has("save") && has("restore");
        Ok(PluginDecl {
            contract: self.contract.clone(),
            name: self.name.clone(),
            methods,
            is_singleton: self.is_singleton,
            is_stateless: self.is_stateless,
            keeps_state,
            place: self.place.clone(),
            ..PluginDecl::default()
        })
    }
}

/// The number of prototypes that are searched for methods. A proxy may have prototypes without end.
const MAX_LEVELS: usize = 64;
