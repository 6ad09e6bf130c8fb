//! The tokens of objects, for code that passes an object on in another form.

use std::ffi::c_void;
use std::sync::Arc;

use super::dispatch::CallFrame;

/// The tokens of one runtime's objects.
pub(crate) trait ObjectTokens: Send + Sync {
    /// Makes another token for the object behind `token`, whose methods are called through `methods`.
    ///
    /// # Errors
    ///
    /// The reason, as text: the token is closed, or the runtime has ended.
    fn adapt(&self, token: *mut c_void, methods: Arc<dyn ObjectMethods>) -> Result<*mut c_void, String>;

    /// Closes a token that [`adapt`](Self::adapt) has made.
    fn close_adapted(&self, token: *mut c_void);
}

/// The methods of an object, as code numbers them that knows another version of the object's contract.
pub(crate) trait ObjectMethods: Send + Sync {
    /// Calls the method with the caller's number `fn_id`, with `call`, which calls the object's method of a number.
    /// Returns whether the object has the method.
    ///
    /// # Safety
    ///
    /// `frame` must be what the method's entry expects on the caller's side, with an error whose code is 0. `call` must
    /// accept a frame that is what the entry of the number expects on the object's side.
    unsafe fn call(
        &self,
        fn_id: u32,
        frame: CallFrame,
        tokens: &dyn ObjectTokens,
        call: &mut dyn FnMut(u32, CallFrame) -> bool,
    ) -> bool;
}
