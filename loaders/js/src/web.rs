//! Stand-in until the branch with the real module is merged.
use rquickjs::qjs;
use std::time::Duration;
pub(crate) type Log = unsafe fn(*mut qjs::JSContext, polyplug_abi::LogLevel, &str);
pub(crate) struct Web;
impl Web {
    pub(crate) unsafe fn open(_: *mut qjs::JSContext, _: Log) -> Result<Self, ()> {
        Ok(Self)
    }
    pub(crate) unsafe fn close(&self, _: *mut qjs::JSContext) {}
    pub(crate) unsafe fn next_timer(&self, _: *mut qjs::JSContext) -> Option<Duration> {
        None
    }
    pub(crate) unsafe fn run_due(&self, _: *mut qjs::JSContext) -> Result<(), ()> {
        Ok(())
    }
}
pub(crate) fn explain_absent(_: &str) -> Option<String> {
    None
}
