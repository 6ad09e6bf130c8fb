//! A plugin that leaves traces on its callers' threads.

use std::cell::RefCell;

use test_contracts::Threads;

thread_local! {
    static WITH_DESTRUCTOR: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

#[derive(Default)]
struct Traces;

#[polyplug::plugin]
impl Threads for Traces {
    fn nothing(&self) {}

    fn current(&self) -> String {
        format!("{:?}", std::thread::current().id())
    }

    fn destructor(&self) {
        WITH_DESTRUCTOR.with_borrow_mut(|bytes| bytes.push(1));
    }
}
