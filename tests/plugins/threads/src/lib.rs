//! A plugin that leaves traces on its callers' threads.

use std::cell::RefCell;

use polyplug::PluginContext;
use test_contracts::Threads;

thread_local! {
    static WITH_DESTRUCTOR: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

struct Traces(PluginContext);

impl Traces {
    fn new(context: &PluginContext) -> Result<Self, String> {
        Ok(Self(context.clone()))
    }
}

#[polyplug::plugin(create = Traces::new)]
impl Threads for Traces {
    fn nothing(&self) {}

    fn current(&self) -> String {
        format!("{:?}", std::thread::current().id())
    }

    fn destructor(&self) {
        WITH_DESTRUCTOR.with_borrow_mut(|bytes| bytes.push(1));
    }

    fn panicking(&self, words: &str) {
        let words = words.to_owned();
        self.0.spawn("unlucky", move |_| panic!("{words}")).expect("there are threads");
    }
}
