//! The parts of a program of the toy language.

use std::collections::BTreeMap;
use std::sync::{Arc, MutexGuard};

use polyplug::Version;
use polyplug::engine::{CallOutcome, Exception, Fault, Guest};

use super::moving::Toys;
use super::vm::{Thing, ToyVm};
use super::{Object, Toy};

/// A method: takes its arguments, and returns its result or raises an error.
pub(super) type Method = Arc<dyn Fn(&mut Call<'_>) -> Result<Toy, Raise> + Send + Sync>;
type Save = Arc<dyn Fn(&Toy) -> Result<Vec<u8>, Raise> + Send + Sync>;
type Restore = Arc<dyn Fn(&[u8], Version) -> Result<Toy, Raise> + Send + Sync>;

/// An error that a method raises.
#[derive(Debug)]
pub enum Raise {
    /// The error that its contract declares.
    Declared(Toy),
    /// Any other error.
    Fault(Fault),
}

impl From<Fault> for Raise {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Exception> for Raise {
    fn from(exception: Exception) -> Self {
        Self::Fault(exception.into())
    }
}

impl From<&str> for Raise {
    fn from(message: &str) -> Self {
        Self::Fault(Fault::new(message))
    }
}

impl Raise {
    /// Returns the error as a fault, for code outside of a method, which cannot declare an error.
    pub(super) fn into_fault(self) -> Fault {
        match self {
            Self::Fault(fault) => fault,
            Self::Declared(value) => Fault::new(format_args!("{value} was raised")),
        }
    }
}

/// A bundle's program while it runs for the first time, and declares plugins.
pub struct Code<'a> {
    /// The bundle, as its engine sees it.
    pub guest: &'a Arc<Guest>,
    pub(super) classes: Vec<Class>,
}

impl Code<'_> {
    /// Declares a plugin.
    pub fn declare(&mut self, class: Class) {
        self.classes.push(class);
    }
}

/// A plugin's declaration.
#[derive(Clone)]
pub struct Class {
    pub(super) contract: String,
    pub(super) name: Option<String>,
    pub(super) place: Option<String>,
    pub(super) methods: Arc<BTreeMap<String, Method>>,
    pub(super) init: Option<Method>,
    pub(super) state: Option<(Save, Restore)>,
    pub(super) is_singleton: bool,
    pub(super) is_stateless: bool,
}

impl Class {
    /// Makes a plugin for a contract, without methods.
    #[must_use]
    pub fn new(contract: &str) -> Self {
        Self {
            contract: contract.to_owned(),
            name: None,
            place: None,
            methods: Arc::default(),
            init: None,
            state: None,
            is_singleton: false,
            is_stateless: false,
        }
    }

    /// Adds a method.
    #[must_use]
    pub fn method(
        mut self,
        name: &str,
        body: impl Fn(&mut Call<'_>) -> Result<Toy, Raise> + Send + Sync + 'static,
    ) -> Self {
        Arc::make_mut(&mut self.methods).insert(name.to_owned(), Arc::new(body));
        self
    }

    /// Adds a function that makes the state of each new instance.
    #[must_use]
    pub fn init(mut self, body: impl Fn(&mut Call<'_>) -> Result<Toy, Raise> + Send + Sync + 'static) -> Self {
        self.init = Some(Arc::new(body));
        self
    }

    /// Adds the functions that save and restore an instance's state.
    #[must_use]
    pub fn keeping(
        mut self,
        save: impl Fn(&Toy) -> Result<Vec<u8>, Raise> + Send + Sync + 'static,
        restore: impl Fn(&[u8], Version) -> Result<Toy, Raise> + Send + Sync + 'static,
    ) -> Self {
        self.state = Some((Arc::new(save), Arc::new(restore)));
        self
    }

    /// Sets the plugin's name.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        self.name = Some(name.to_owned());
        self
    }

    /// Sets the place of the declaration in the source.
    #[must_use]
    pub fn at(mut self, place: &str) -> Self {
        self.place = Some(place.to_owned());
        self
    }

    /// Makes one instance serve the whole bundle.
    #[must_use]
    pub fn singleton(mut self) -> Self {
        self.is_singleton = true;
        self
    }

    /// Declares that the plugin keeps nothing from one call to the next.
    #[must_use]
    pub fn stateless(mut self) -> Self {
        self.is_stateless = true;
        self
    }
}

/// A call of a method, as the method sees it.
pub struct Call<'a> {
    pub(super) vm: &'a ToyVm,
    pub(super) this: &'a Thing,
    /// The arguments.
    pub arguments: Vec<Toy>,
}

impl Call<'_> {
    /// Returns the bundle, as its engine sees it.
    #[must_use]
    pub fn guest(&self) -> &Arc<Guest> {
        &self.vm.guest
    }

    /// Returns the state of the instance.
    pub fn state(&self) -> MutexGuard<'_, Toy> {
        self.this.state()
    }

    /// Opens a host contract.
    ///
    /// # Errors
    ///
    /// The errors of [`Guest::host`].
    pub fn host(&self, contract: &str) -> Result<Toy, Raise> {
        Ok(Toy::Object(Object::Other(Arc::new(self.guest().host(contract)?))))
    }

    /// Opens a peer.
    ///
    /// # Errors
    ///
    /// The errors of [`Guest::peer`].
    pub fn peer(&self, contract: &str) -> Result<Toy, Raise> {
        Ok(Toy::Object(Object::Other(Arc::new(self.guest().peer(contract)?))))
    }

    /// Calls a method of a host contract, a peer or an object.
    ///
    /// # Errors
    ///
    /// The error that the method declares, or the failure of the call.
    ///
    /// # Panics
    ///
    /// If `callee` is an object of this VM or not an object, or has no such method.
    pub fn invoke(&self, callee: &Toy, method: &str, arguments: &[Toy]) -> Result<Toy, Raise> {
        let Toy::Object(Object::Other(remote)) = callee else {
            panic!("the callee is an imported object, not {callee}")
        };
        let number = remote.methods().iter().position(|known| known.name == method);
        let contract = remote.schema_and_plan();
        let mut toys = Toys::new(self.vm, &contract);
        match remote.call(&mut toys, number.expect("the callee has the method"), arguments)? {
            CallOutcome::Returned(value) => Ok(value),
            CallOutcome::Declared(error) => Err(Raise::Declared(error)),
        }
    }
}
