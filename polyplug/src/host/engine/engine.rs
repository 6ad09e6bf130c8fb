//! The trait that a language implements for its VM.

use polyplug_abi::Version;

use super::fault::Fault;
use super::incoming_call::IncomingCall;
use super::known_contract::KnownContract;

/// A VM that runs the code of one version of a bundle.
///
/// The loader makes the engine and passes it to [`load`](crate::engine::load()). The engine is dropped when no thread
/// can run its code any more. While it is dropped, it measures whether the bundle's code is gone, and calls
/// [`Guest::record_end`](crate::engine::Guest::record_end). A panic of a method is turned into a [`Fault`] of that
/// method. A panic of [`end`](Self::end) or [`memory`](Self::memory), which cannot fail, is
/// logged.
///
/// One thread at a time calls the methods, unless [`EXCLUSIVE`](Self::EXCLUSIVE) is false. The same thread may call a
/// method while it is in another one: a guest can call another plugin, which calls the guest.
pub trait Engine: Send + Sync + Sized + 'static {
    /// True if only one thread at a time may be in the engine. Such an engine needs no lock of its own.
    const EXCLUSIVE: bool = true;

    /// The number of bytes of stack that a call of the engine may need, with the conversion of its values and the text
    /// of its errors. A call that is nested in others by way of the host is refused where less is left.
    const STACK: usize = 64 << 10;

    /// An object in the engine: an instance of a plugin, or an object that was handed over.
    type Object: Send + Sync;

    /// Returns the name that a method has in the language. `name` is in `snake_case`.
    fn method_name(name: &str) -> String {
        name.to_owned()
    }

    /// Prepares the calls of a plugin. Called once for each plugin, before any plugin is called, with the plugin's
    /// number in the order of declaration. An engine looks up here by name what calls find by number.
    ///
    /// # Errors
    ///
    /// The plugin does not implement this contract.
    fn prepare(&self, plugin: usize, contract: &KnownContract) -> Result<(), Fault>;

    /// Makes an instance of the plugin with this number in the order of declaration.
    ///
    /// # Errors
    ///
    /// The plugin's own code refuses.
    fn create(&self, plugin: usize) -> Result<Self::Object, Fault>;

    /// Ends an object. Called once for each object that [`create`](Self::create) or [`restore`](Self::restore)
    /// returned, or that [`Guest::offer`](crate::engine::Guest::offer) was given. Any thread may call it, also a thread
    /// that is in a call of this engine. The thread that leaves a busy engine ends the objects that were released
    /// meanwhile.
    fn end(&self, object: Self::Object);

    /// Calls a method of an instance.
    ///
    /// # Errors
    ///
    /// The method fails, or a value does not have the type that the contract asks for.
    fn call(&self, plugin: usize, instance: &Self::Object, call: &IncomingCall<'_>) -> Result<(), Fault>;

    /// Calls a method of an object that was handed over as the definition with this number of a contract.
    ///
    /// # Errors
    ///
    /// The same as for [`call`](Self::call).
    fn call_object(
        &self,
        definition: u32,
        object: &Self::Object,
        of: &KnownContract,
        call: &IncomingCall<'_>,
    ) -> Result<(), Fault>;

    /// Returns the place of the function that carries out a method of an instance: its file and the line where it begins,
    /// such as `main.lua:14`. The file is named as in the [location](crate::engine::Exception::location) of an
    /// exception. Called after [`call`](Self::call) has returned a fault about the method's result, for the error. By
    /// default the place is not known.
    fn place(&self, plugin: usize, instance: &Self::Object, call: &IncomingCall<'_>) -> Option<String> {
        let _ = (plugin, instance, call);
        None
    }

    /// Returns the place of the function that carries out a method of an object that was handed over, as
    /// [`place`](Self::place) does, after [`call_object`](Self::call_object).
    fn object_place(&self, object: &Self::Object, call: &IncomingCall<'_>) -> Option<String> {
        let _ = (object, call);
        None
    }

    /// Takes a snapshot of an instance. Called only for plugins that keep their state.
    ///
    /// # Errors
    ///
    /// The plugin's own code fails.
    fn save(&self, plugin: usize, instance: &Self::Object) -> Result<Vec<u8>, Fault>;

    /// Makes an instance from a snapshot that version `from` of the bundle took. Called only for plugins that keep
    /// their state.
    ///
    /// # Errors
    ///
    /// The plugin's own code refuses the snapshot.
    fn restore(&self, plugin: usize, state: &[u8], from: Version) -> Result<Self::Object, Fault>;

    /// Returns how many bytes of memory the engine occupies, or `None` if the engine does not know, for
    /// [`Runtime::bundles`](crate::Runtime::bundles). Not called while another thread is in the engine.
    fn memory(&self) -> Option<u64> {
        None
    }
}
