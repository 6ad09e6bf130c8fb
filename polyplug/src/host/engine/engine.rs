//! What a language implements for its virtual machine.

use polyplug_abi::Version;

use super::fault::Fault;
use super::incoming_call::IncomingCall;
use super::known_contract::KnownContract;

/// A virtual machine that runs the code of one version of a bundle.
///
/// It is made by the loader, handed to [`load`](crate::host::engine::load::load), and dropped when nothing can run its code any more. A panic in one of
/// its methods is a [`Fault`] of whatever was asked of it; in [`end`](Self::end) and [`memory`](Self::memory), which
/// cannot fail, it is logged.
///
/// Its methods are called by one thread at a time, unless [`EXCLUSIVE`](Self::EXCLUSIVE) says otherwise; again by the
/// same thread while a call of its own is running, for guests call others, who may call them.
pub trait Engine: Send + Sync + Sized + 'static {
    /// Whether only one thread at a time may be in the engine, which then need not take a lock of its own.
    const EXCLUSIVE: bool = true;

    /// An object in the engine: an instance of a plugin, or one that was handed over.
    type Object: Send + Sync;

    /// How the language's authors spell the name of a method, which is in `snake_case`.
    fn method_name(name: &str) -> String {
        name.to_owned()
    }

    /// Told about each plugin once, by its place among those that were declared, before any is called: the time to look
    /// up by name what calls find by number.
    ///
    /// # Errors
    ///
    /// The plugin is none for this contract after all.
    fn prepare(&self, plugin: usize, contract: &KnownContract) -> Result<(), Fault>;

    /// Makes an instance of a plugin, which is told by its place among those that were declared.
    ///
    /// # Errors
    ///
    /// The plugin's own code refuses.
    fn create(&self, plugin: usize) -> Result<Self::Object, Fault>;

    /// Ends an object. Called once for each that [`create`](Self::create), [`restore`](Self::restore) or
    /// [`Guest::offer`](crate::host::engine::Guest::offer) was given or gave, on any thread: also on one that is in a call of this engine. What ends while
    /// the engine is busy is ended by whoever leaves it.
    fn end(&self, object: Self::Object);

    /// Calls a method of an instance.
    ///
    /// # Errors
    ///
    /// Whatever keeps the method from returning what it should.
    fn call(&self, plugin: usize, instance: &Self::Object, call: &IncomingCall<'_>) -> Result<(), Fault>;

    /// Calls a method of an object that was handed over as the definition with this number of a contract.
    ///
    /// # Errors
    ///
    /// As for [`call`](Self::call).
    fn call_object(
        &self,
        definition: u32,
        object: &Self::Object,
        of: &KnownContract,
        call: &IncomingCall<'_>,
    ) -> Result<(), Fault>;

    /// Takes a snapshot of an instance. Asked only of plugins that keep their state.
    ///
    /// # Errors
    ///
    /// The plugin's own code fails.
    fn save(&self, plugin: usize, instance: &Self::Object) -> Result<Vec<u8>, Fault>;

    /// Makes an instance from a snapshot that version `from` of the bundle took. Asked only of plugins that keep their
    /// state.
    ///
    /// # Errors
    ///
    /// The plugin's own code refuses it.
    fn restore(&self, plugin: usize, state: &[u8], from: Version) -> Result<Self::Object, Fault>;

    /// How many bytes of memory the engine occupies, where it can tell: for
    /// [`Runtime::bundles`](crate::Runtime::bundles). Not asked while another thread is in the engine.
    fn memory(&self) -> Option<u64> {
        None
    }
}
