//! Conversion of a contract's values to JavaScript values.

use polyplug::engine::{BodyLayout, Build, Fault, Float, Integer};
use polyplug::schema::plan::{Body, MethodPlan};
use polyplug_abi::GuestContractInstance;

use crate::js::{Pending, Value};
use crate::remote;
use crate::values::Values;

impl Values<'_> {
    /// Makes an object with a tag and a value.
    fn tagged(&self, tag: Value, value: Option<Value>) -> Result<Value, Pending> {
        let whole = self.js.object()?;
        let names = self.state.names();
        self.js.define(&whole, &names.tag, tag)?;
        if let Some(value) = value {
            self.js.define(&whole, &names.val, value)?;
        }
        Ok(whole)
    }

    fn made<T>(&self, made: Result<T, Pending>) -> Result<T, Fault> {
        made.map_err(|pending| self.fault(pending))
    }
}

impl Build for Values<'_> {
    type Value = Value;
    type Error = Fault;

    fn unit(&mut self) -> Result<Value, Fault> {
        Ok(self.js.undefined())
    }

    #[inline]
    fn bool(&mut self, value: bool) -> Result<Value, Fault> {
        Ok(self.js.bool(value))
    }

    #[inline]
    fn integer(&mut self, value: Integer) -> Result<Value, Fault> {
        let js = self.js;
        let made = match value {
            Integer::I8(number) => Ok(js.int(number.into())),
            Integer::I16(number) => Ok(js.int(number.into())),
            Integer::I32(number) => Ok(js.int(number)),
            Integer::U8(number) => Ok(js.int(number.into())),
            Integer::U16(number) => Ok(js.int(number.into())),
            Integer::U32(number) => {
                Ok(i32::try_from(number).map_or_else(|_| js.number(number.into()), |int| js.int(int)))
            }
            Integer::I64(number) => js.bigint(number),
            Integer::U64(number) => js.unsigned_bigint(number),
        };
        self.made(made)
    }

    #[inline]
    fn float(&mut self, value: Float) -> Result<Value, Fault> {
        Ok(self.js.number(value.to_f64()))
    }

    fn char(&mut self, value: char) -> Result<Value, Fault> {
        Build::text(self, value.encode_utf8(&mut [0; 4]))
    }

    #[inline]
    fn text(&mut self, value: &str) -> Result<Value, Fault> {
        self.made(self.js.text(value))
    }

    #[inline]
    fn bytes(&mut self, value: &[u8]) -> Result<Value, Fault> {
        self.made(self.js.bytes(value))
    }

    fn none(&mut self, _: bool) -> Result<Value, Fault> {
        Ok(self.js.null())
    }

    fn some(&mut self, value: Value, is_nested: bool) -> Result<Value, Fault> {
        if !is_nested {
            return Ok(value);
        }
        self.made(self.js.text("some").and_then(|tag| self.tagged(tag, Some(value))))
    }

    fn list(&mut self, _: usize) -> Result<Value, Fault> {
        self.made(self.js.array())
    }

    fn put_item(&mut self, list: &mut Value, index: usize, item: Value) -> Result<(), Fault> {
        self.made(self.js.define_index(list, index, item))
    }

    fn map(&mut self, _: usize) -> Result<Value, Fault> {
        self.made(self.js.construct(&self.state.helpers().map, &[]))
    }

    fn put_entry(&mut self, map: &mut Value, key: Value, value: Value) -> Result<(), Fault> {
        self.made(self.js.call(&self.state.helpers().map_set, map, &[key.raw(), value.raw()])).map(drop)
    }

    fn tuple(&mut self, len: usize) -> Result<Value, Fault> {
        self.list(len)
    }

    /// Makes the object or array of the fields, or a place that the only field replaces. [`finish`](Self::finish) adds the
    /// tag of a case.
    fn begin(&mut self, body: &Body) -> Result<Value, Fault> {
        match self.prepared.bodies[body.number].layout {
            BodyLayout::Named => self.made(self.js.object()),
            BodyLayout::Numbered => self.made(self.js.array()),
            BodyLayout::Single | BodyLayout::Empty => Ok(self.js.undefined()),
        }
    }

    fn put_field(&mut self, whole: &mut Value, body: &Body, index: usize, field: Value) -> Result<(), Fault> {
        let fields = &self.prepared.bodies[body.number];
        match fields.layout {
            BodyLayout::Named => self.made(self.js.define(whole, &fields.keys[index], field)),
            BodyLayout::Numbered => self.made(self.js.define_index(whole, index, field)),
            BodyLayout::Single => {
                *whole = field;
                Ok(())
            }
            BodyLayout::Empty => Ok(()),
        }
    }

    fn finish(&mut self, whole: Value, body: &Body) -> Result<Value, Fault> {
        let fields = &self.prepared.bodies[body.number];
        let Some(case) = &fields.case else { return Ok(whole) };
        let value = (fields.layout != BodyLayout::Empty).then_some(whole);
        self.made(self.tagged(case.share(), value))
    }

    fn case(&mut self, definition: u32, case: u32) -> Result<Value, Fault> {
        Ok(self.prepared.cases(definition).names[case as usize].share())
    }

    fn result(&mut self, value: Value, is_ok: bool) -> Result<Value, Fault> {
        let tag = self.js.text(if is_ok { "ok" } else { "err" });
        self.made(tag.and_then(|tag| self.tagged(tag, Some(value))))
    }

    fn object(&mut self, definition: u32, _: &[MethodPlan], form: GuestContractInstance) -> Result<Value, Fault> {
        let object = self.state.guest.object(&self.prepared.contract, definition, form)?;
        self.made(remote::object(self.state, self.prepared, object))
    }
}
