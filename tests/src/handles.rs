//! Calling plugins by handles and tokens, as a host in C does.

use std::ptr::{NonNull, null};

use polyplug_abi::{
    AbiError, AbiErrorCode, CallArena, GuestContractHandle, GuestContractInstance, HostApi, StringView,
};
use test_contracts::Card;

/// An error: code and text.
pub type Refused = (AbiErrorCode, String);

/// A host that uses only the table.
#[derive(Debug, Clone, Copy)]
pub struct Handles(NonNull<HostApi>);

// SAFETY: the table accepts calls from any thread.
unsafe impl Send for Handles {}
// SAFETY: the table accepts calls from any thread, also at the same time.
unsafe impl Sync for Handles {}

/// A lowered `Card`.
#[repr(C)]
struct CanonicalCard {
    version: u32,
    text: StringView,
    repeated: *const u64,
    repeated_len: usize,
    last: u8,
}

impl Handles {
    /// Makes a host with this table.
    ///
    /// # Safety
    ///
    /// The table must stay valid as long as the result is used.
    ///
    /// # Panics
    ///
    /// If it is null.
    #[must_use]
    pub unsafe fn new(host: *const HostApi) -> Self {
        Self(NonNull::new(host.cast_mut()).expect("a table"))
    }

    fn table(&self) -> &HostApi {
        // SAFETY: valid (promised to `new`).
        unsafe { self.0.as_ref() }
    }

    /// Returns the first provider of a contract, or `None`.
    #[must_use]
    pub fn find(&self, contract: u64) -> Option<GuestContractHandle> {
        // SAFETY: the table is valid.
        let handle = unsafe { (self.table().find_guest_contract)(self.0.as_ptr(), contract, 0) };
        (!handle.is_null()).then_some(handle)
    }

    /// Makes an instance of a provider.
    ///
    /// # Errors
    ///
    /// The error that the host returns.
    pub fn create(&self, handle: GuestContractHandle) -> Result<GuestContractInstance, Refused> {
        let (mut token, mut error) = (GuestContractInstance::null(), AbiError::ok());
        let out = &raw mut token;
        // SAFETY: the table is valid, and both pointers are writable.
        unsafe { (self.table().create_guest_instance)(self.0.as_ptr(), handle, null(), out, &raw mut error) };
        answer(&error).map(|()| token)
    }

    /// Ends an instance.
    pub fn destroy(&self, token: GuestContractInstance) {
        // SAFETY: the table is valid.
        unsafe { (self.table().destroy_guest_instance)(self.0.as_ptr(), token) };
    }

    /// Adds to an instance of a `Counter`.
    ///
    /// # Errors
    ///
    /// The error that the host returns.
    pub fn add(&self, token: GuestContractInstance, by: u64) -> Result<u64, Refused> {
        let (mut sum, mut error) = (0_u64, AbiError::ok());
        let (args, out) = ((&raw const by).cast(), (&raw mut sum).cast());
        let arena = std::ptr::null_mut();
        // SAFETY: the table is valid; method 0 of a counter takes and returns a number.
        unsafe { (self.table().call_guest_method)(self.0.as_ptr(), token, 0, args, out, arena, &raw mut error) };
        answer(&error).map(|()| sum)
    }

    /// Returns the card of an instance of a `Stamp`.
    ///
    /// # Errors
    ///
    /// The error that the host returns.
    pub fn card(&self, token: GuestContractInstance, text: &str) -> Result<Card, Refused> {
        // SAFETY: the table is valid; method 2 of a stamp is called as `card_by` does.
        self.card_by(text, |args, out, arena, error| unsafe {
            (self.table().call_guest_method)(self.0.as_ptr(), token, 2, args, out, arena, error);
        })
    }

    /// Returns the card that `call` gets from method `card` of a `Stamp`. `call` takes the arguments, a buffer for the
    /// result, an arena and an error.
    ///
    /// # Errors
    ///
    /// The error that the callee reports.
    pub fn card_by(
        &self,
        text: &str,
        call: impl FnOnce(*const (), *mut (), *mut CallArena, *mut AbiError),
    ) -> Result<Card, Refused> {
        let args = StringView::lend(text.as_bytes());
        let none = StringView::null();
        let mut out = CanonicalCard { version: 0, text: none, repeated: null(), repeated_len: 0, last: 0 };
        let mut error = AbiError::ok();
        // SAFETY: the table is valid; `leave_arena` is called below, by the same thread.
        let arena = unsafe { (self.table().enter_arena)(self.0.as_ptr()) };
        call((&raw const args).cast(), (&raw mut out).cast(), arena, &raw mut error);
        // SAFETY: the texts and the list lie in the arena, which has not been left.
        let answer = answer(&error).map(|()| unsafe { out.read() });
        // SAFETY: from `enter_arena`, and the last one that this thread took.
        unsafe { (self.table().leave_arena)(self.0.as_ptr(), arena) };
        answer
    }
}

impl CanonicalCard {
    /// # Safety
    ///
    /// The text and the list must be readable.
    unsafe fn read(&self) -> Card {
        // SAFETY: the caller's promise.
        let (text, repeated) = unsafe {
            let repeated = match self.repeated_len {
                0 => &[],
                len => std::slice::from_raw_parts(self.repeated, len),
            };
            (self.text.bytes().expect("a text"), repeated)
        };
        let text = String::from_utf8(text.to_vec()).expect("the plugin's text is UTF-8");
        Card { version: self.version, text, repeated: repeated.to_vec(), last: self.last }
    }
}

fn answer(error: &AbiError) -> Result<(), Refused> {
    if error.is_ok() {
        return Ok(());
    }
    // SAFETY: the texts of errors stay until this thread's next call, or lie in the arena, which is still ours.
    let text = unsafe { error.message.bytes() }.expect("a message is no null with a length");
    Err((AbiErrorCode::from_u32(error.code), String::from_utf8_lossy(text).into_owned()))
}
