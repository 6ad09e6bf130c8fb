//! Methods that are found once and called with values.

use std::borrow::Cow;
use std::fmt;

use super::proxy::{DynamicProxy, no_proxy};
use crate::call_error::CallError;
use crate::host::runtime::runtime::Runtime;
use crate::schema::Method;
use crate::value::Value;

/// A method of an instance that was found once, from [`DynamicProxy::method`] or
/// [`Runtime::method`](crate::Runtime::method).
///
/// A call is that of [`DynamicProxy::call`] without the search for the name. After a reload the method is that of the
/// version which serves, and its number there is looked up by each call: find the method anew.
#[derive(Clone)]
pub struct DynamicMethod {
    proxy: DynamicProxy,
    /// The number in the schema of the proxy's plugin.
    number: usize,
}

impl DynamicMethod {
    /// Returns the description of the method.
    #[must_use]
    pub fn description(&self) -> &Method {
        &self.proxy.schema().methods[self.number]
    }

    /// Calls the method.
    ///
    /// # Errors
    ///
    /// The errors of [`DynamicProxy::call`]. [`CallError::NotFound`] if a reload has removed the method.
    pub fn call(&self, arguments: &[Value]) -> Result<Value, CallError> {
        match self.proxy.current() {
            Ok(Cow::Borrowed(proxy)) => proxy.call_number(self.number, arguments),
            Ok(Cow::Owned(proxy)) => proxy.call_here(&self.description().name, arguments),
            Err(error) => Err(error.of_method(self.proxy.path(&self.description().name))),
        }
    }
}

impl fmt::Debug for DynamicMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DynamicMethod({} of {:?})", self.description().name, self.proxy)
    }
}

impl DynamicProxy {
    /// Finds a method once, for many calls.
    ///
    /// # Errors
    ///
    /// [`CallError::NotFound`] for an unknown method, with the known methods.
    pub fn method(&self, method: &str) -> Result<DynamicMethod, CallError> {
        let number = self.number_of(method)?;
        Ok(DynamicMethod { proxy: self.clone(), number })
    }
}

impl Runtime {
    /// Makes an instance like [`dynamic`](Self::dynamic), and finds a method of it once, for many calls.
    ///
    /// # Errors
    ///
    /// [`CallError::NotFound`] if there is no provider, or no such method, with those that there are.
    ///
    /// ```no_run
    /// # use polyplug::{Runtime, Value};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let runtime = Runtime::builder().build()?;
    /// let add = runtime.method("demo.calculator@1", "add")?;
    /// for number in 0..10 {
    ///     assert_eq!(add.call(&[Value::from(number), Value::from(3)])?, Value::from(number + 3));
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn method(&self, contract: &str, method: &str) -> Result<DynamicMethod, CallError> {
        self.dynamic(contract).map_err(|error| no_proxy(contract, method, &error))?.method(method)
    }
}
