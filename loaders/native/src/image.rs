//! A library in memory, and the check that closing the library has unmapped it.
//!
//! Closing a library is a request. The system keeps the library mapped while code of the library may still run, but
//! does not count the destructors of thread-specific data that it will run later. This module handles both cases.

use libloading::Library;
use polyplug::loader::{Module, Remains};

/// An open library.
pub(crate) struct Image {
    library: Library,
    place: Option<place::Place>,
}

impl Image {
    /// Makes the image of `library`, which `symbol` is part of.
    pub(crate) fn new(library: Library, symbol: *const ()) -> Self {
        Self { library, place: place::Place::of(symbol) }
    }
}

impl Module for Image {
    fn close(self: Box<Self>) -> Option<Remains> {
        let Self { library, place } = *self;
        if let Some(place) = &place {
            place.forget_destructors();
        }
        if let Err(error) = library.close() {
            return Some(format!("the system could not close the library: {error}").into());
        }
        let Some(place) = place else {
            let reason = "the system does not say where the library is, so whether it is unmapped is not known";
            return Some(reason.to_owned().into());
        };
        place.is_mapped().then(|| {
            let reason = format!("the system keeps the library mapped: {REASON}");
            Remains::from(reason).measured_by(move || place.is_mapped())
        })
    }

    fn memory(&self) -> Option<u64> {
        self.place.as_ref().map(place::Place::mapped)
    }
}

/// Why a library that was closed may still be mapped. macOS never unmaps a library with thread-local variables, and the
/// standard library of Rust has some.
const REASON: &str = if cfg!(target_vendor = "apple") {
    "macOS does not unmap a library that has thread-local variables, as every plugin in Rust does, or classes of \
     Objective-C or Swift"
} else {
    "a thread has a thread-local destructor of it pending, or the file is open elsewhere in the process"
};

#[cfg(target_os = "linux")]
mod place {
    use std::ffi::{c_int, c_void};
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// The address range of a library.
    #[derive(Clone, Copy)]
    pub(super) struct Place {
        base: usize,
        end: usize,
        mapped: u64,
    }

    impl Place {
        /// Returns the number of bytes of the library that are mapped.
        pub(super) fn mapped(&self) -> u64 {
            self.mapped
        }

        /// Returns the address range of the library that `symbol` is part of.
        pub(super) fn of(symbol: *const ()) -> Option<Self> {
            let address = symbol as usize;
            find(|place| place.contains(address))
        }

        /// Returns whether a library is mapped at the range's base.
        pub(super) fn is_mapped(&self) -> bool {
            find(|place| place.base == self.base).is_some()
        }

        fn contains(&self, address: usize) -> bool {
            (self.base..self.end).contains(&address)
        }

        /// Unregisters the destructors of thread-specific data that lie in the library.
        ///
        /// Rust's standard library registers such a destructor when a thread first asks for its own handle, which a
        /// channel or a mutex does as well. The C library does not keep a library mapped for these destructors, and
        /// calls them when a thread ends, even after the library was unmapped.
        pub(super) fn forget_destructors(&self) {
            for (key, destructor) in keys() {
                if self.contains(destructor) {
                    // SAFETY: deleting a key runs no destructor. The library that made the key is about to be unmapped.
                    unsafe { libc::pthread_key_delete(key) };
                }
            }
        }
    }

    /// Returns the first library for which `wanted` returns true.
    fn find(wanted: impl FnMut(&Place) -> bool) -> Option<Place> {
        struct Search<F> {
            wanted: F,
            found: Option<Place>,
        }
        unsafe extern "C" fn visit<F: FnMut(&Place) -> bool>(
            info: *mut libc::dl_phdr_info,
            _: usize,
            data: *mut c_void,
        ) -> c_int {
            // SAFETY: `data` is the search that `iterate` passes to `dl_iterate_phdr`, which guarantees that `info` is
            // valid during the visit and has `dlpi_phnum` headers.
            let (search, info, headers) = unsafe {
                let info = &*info;
                let headers = std::slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum.into());
                (&mut *data.cast::<Search<F>>(), info, headers)
            };
            let loaded = || headers.iter().filter(|header| header.p_type == libc::PT_LOAD);
            let end = loaded().map(|header| header.p_vaddr.saturating_add(header.p_memsz)).max().unwrap_or(0);
            let mapped = loaded().map(|header| header.p_memsz).sum();
            let base = info.dlpi_addr as usize;
            let place = Place { base, end: base.saturating_add(end as usize), mapped };
            if (search.wanted)(&place) {
                search.found = Some(place);
                return 1;
            }
            0
        }
        fn iterate<F: FnMut(&Place) -> bool>(search: &mut Search<F>) {
            // SAFETY: `visit` is instantiated for the type of the search, which lives during the iteration.
            unsafe { libc::dl_iterate_phdr(Some(visit::<F>), std::ptr::from_mut(search).cast()) };
        }
        let mut search = Search { wanted, found: None };
        iterate(&mut search);
        search.found
    }

    /// The C library's record of a key: a sequence number, which is odd while the key is in use, and a destructor.
    #[repr(C)]
    struct Key {
        sequence: AtomicUsize,
        destructor: AtomicUsize,
    }

    /// The most keys that a process may have.
    const KEYS: usize = 1024;

    /// Returns the keys in use that have a destructor.
    ///
    /// glibc exports its table for debuggers, together with a description of the table's layout. The table is used only
    /// if the description agrees with [`Key`]. Other C libraries export no table, so destructors stay registered there.
    fn keys() -> impl Iterator<Item = (libc::pthread_key_t, usize)> {
        static TABLE: OnceLock<usize> = OnceLock::new();
        let table = *TABLE.get_or_init(find_table);
        let count = if table == 0 { 0 } else { KEYS };
        (0..count).filter_map(move |number| {
            // SAFETY: the table has this layout and length (`find_table` has checked glibc's description), and is
            // static data of glibc. Other threads change it atomically.
            let key = unsafe { &*(table as *const Key).add(number) };
            let used = key.sequence.load(Ordering::Acquire) % 2 == 1;
            let destructor = key.destructor.load(Ordering::Acquire);
            (used && destructor != 0).then_some((number as libc::pthread_key_t, destructor))
        })
    }

    /// Returns the address of the table of keys, or 0 if there is no table with the expected layout.
    fn find_table() -> usize {
        /// The size in bits, the number of elements and the offset of a field, as glibc describes them.
        type Field = [u32; 3];
        // SAFETY: `dlsym` only looks the name up, and the name ends with a null byte (`CStr`).
        let symbol = |name: &std::ffi::CStr| unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
        let table = symbol(c"__pthread_keys");
        let size = symbol(c"_thread_db_sizeof_pthread_key_struct").cast::<u32>();
        let sequence = symbol(c"_thread_db_pthread_key_struct_seq").cast::<Field>();
        let destructor = symbol(c"_thread_db_pthread_key_struct_destr").cast::<Field>();
        if table.is_null() || size.is_null() || sequence.is_null() || destructor.is_null() {
            return 0;
        }
        // SAFETY: glibc's descriptions have these types under these names.
        let (size, sequence, destructor) = unsafe { (size.read(), sequence.read(), destructor.read()) };
        let word = usize::BITS;
        let expected =
            size as usize == size_of::<Key>() && sequence == [word, 1, 0] && destructor == [word, 1, word / 8];
        if expected { table as usize } else { 0 }
    }
}

#[cfg(all(unix, not(target_os = "linux")))]
mod place {
    use std::ffi::c_void;
    use std::mem::MaybeUninit;

    /// An address in a library. The range of the library is not looked up on this system.
    #[derive(Clone, Copy)]
    pub(super) struct Place(usize);

    impl Place {
        pub(super) fn of(symbol: *const ()) -> Option<Self> {
            Some(Self(symbol as usize)).filter(Self::is_mapped)
        }

        pub(super) fn mapped(&self) -> u64 {
            0
        }

        /// Returns whether the address is in a library that is loaded.
        pub(super) fn is_mapped(&self) -> bool {
            let mut info = MaybeUninit::<libc::Dl_info>::uninit();
            // SAFETY: `dladdr` takes any address, and writes to a structure of this function's own.
            unsafe { libc::dladdr(self.0 as *const c_void, info.as_mut_ptr()) != 0 }
        }

        pub(super) fn forget_destructors(&self) {}
    }
}

#[cfg(windows)]
mod place {
    use std::ffi::c_void;
    use std::ptr::null_mut;

    /// `GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS`, and `.._UNCHANGED_REFCOUNT`: the library is not kept loaded.
    const BY_ADDRESS: u32 = 0x4 | 0x2;

    #[link(name = "kernel32")]
    unsafe extern "system" {
        fn GetModuleHandleExW(flags: u32, address: *const c_void, module: *mut *mut c_void) -> i32;
    }

    /// An address in a library. The range of the library is not looked up on this system.
    #[derive(Clone, Copy)]
    pub(super) struct Place(usize);

    impl Place {
        pub(super) fn of(symbol: *const ()) -> Option<Self> {
            Some(Self(symbol as usize)).filter(Self::is_mapped)
        }

        pub(super) fn mapped(&self) -> u64 {
            0
        }

        /// Returns whether the address is in a library that is loaded.
        pub(super) fn is_mapped(&self) -> bool {
            let mut module = null_mut();
            // SAFETY: with these flags the function takes any address, and writes to a variable of this function's own.
            unsafe { GetModuleHandleExW(BY_ADDRESS, self.0 as *const c_void, &raw mut module) != 0 }
        }

        pub(super) fn forget_destructors(&self) {}
    }
}
