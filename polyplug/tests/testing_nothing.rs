//! `polyplug::testing` in a test that no plugin is linked into.
#![cfg(feature = "host")]

use std::panic::{catch_unwind, set_hook};
use std::sync::{Arc, Mutex};

use polyplug::testing::Host;

// One test, for the hook is the whole program's.
#[test]
fn it_says_so_and_what_to_do_at_the_line_of_the_test() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let ours = Arc::clone(&told);
    set_hook(Box::new(move |info| {
        let file = info.location().map(|location| location.file().to_owned());
        ours.lock().unwrap().push((file, info.payload_as_str().map(str::to_owned)));
    }));
    assert!(catch_unwind(Host::default).is_err());
    assert!(catch_unwind(|| Host::new()).is_err());
    assert!(catch_unwind(|| Host::of("my-plugin")).is_err());

    let told = std::mem::take(&mut *told.lock().unwrap());
    let messages: Vec<_> = told.iter().map(|(_, message)| message.as_deref().unwrap()).collect();
    let nothing = "no plugin is linked into this test: a `#[polyplug::plugin]` has to be in its crate; a test outside of \
                   the plugin's crate links it with `use the_crate as _;`, for which its `crate-type` needs \"rlib\"";
    assert_eq!(messages[..2], [nothing, nothing]);
    assert!(messages[2].contains("`my-plugin` is linked into this test, none at all: "), "{}", messages[2]);
    for (file, _) in &told[1..] {
        assert_eq!(file.as_deref(), Some(file!()));
    }
}
