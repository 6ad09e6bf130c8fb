//! Conversion of JavaScript values to values of a contract.

use polyplug::engine::{BodyLayout, CaseOf, Fault, Located, RawText, Read};
use polyplug::schema::plan::{Body, MethodPlan};
use polyplug::types::LiftError;
use polyplug_abi::GuestContractInstance;

use crate::describe::describe;
use crate::engine::{JsEngine, JsObject};
use crate::js::{Atom, Pending, Value};
use crate::names::camel_case;
use crate::remote;
use crate::values::Values;

/// The largest number up to which a floating-point number holds every integer.
const MAX_EXACT: f64 = 9_007_199_254_740_991.0;

/// The number of items beyond which a list is looked at before memory is asked for.
const MANY: usize = 1 << 16;

/// The reason why an item cannot be read.
const GAP: &str = "the list has no item there: it has a gap, or was changed while it was read";

/// The items of a list, while they are read.
pub(crate) struct Items {
    list: Value,
    /// Whether an item may be missing, although its index is less than the length.
    may_have_gaps: bool,
}

/// The entries of a map, while they are read.
pub(crate) struct Entries {
    /// An array with each key before its value.
    pairs: Value,
    next: usize,
    len: usize,
}

/// Makes the fault of a value that cannot be what it is meant to be.
fn wrong(reason: impl std::fmt::Display) -> Fault {
    LiftError::new(reason).into()
}

impl Values<'_> {
    fn read<T>(&self, read: Result<T, Pending>) -> Result<T, Fault> {
        read.map_err(|pending| self.fault(pending))
    }

    /// Returns the items of a list, an array or any other iterable object, and their number.
    fn items(&self, value: &Value) -> Result<Option<(Items, usize)>, Fault> {
        if !value.is_object() {
            return Ok(None);
        }
        let (list, may_have_gaps) = if value.is_array() {
            (value.share(), true)
        } else if value.typed_array() >= 0 {
            (value.share(), false)
        } else {
            let helpers = self.state.helpers();
            let items = self.read(self.js.call(&helpers.items, &self.js.undefined(), &[value.raw()]))?;
            if items.is_undefined() {
                return Ok(None);
            }
            (items, true)
        };
        let len = self.read(self.js.len(&list))?;
        // The caller asks for the memory of all items at once, which a gap of a thousand million must not cost.
        if may_have_gaps && len > MANY && !self.read(self.js.has_own_index(&list, len - 1))? {
            return Err(wrong(GAP).at(len - 1));
        }
        Ok(Some((Items { list, may_have_gaps }, len)))
    }

    /// Returns the number of the case that a string names.
    fn case_of<V>(&self, definition: u32, name: &Value, payload: V) -> Result<CaseOf<V>, Fault> {
        let atom = self.read(self.js.atom_of(name))?;
        Ok(match self.prepared.cases(definition).number(&atom) {
            Some(number) => CaseOf::Known(number, payload),
            None => CaseOf::Unknown(self.read(name.shown())?),
        })
    }

    /// Returns the first name of an object's own properties that `is_known` refuses.
    fn other_name(&self, object: &Value, is_known: impl Fn(&Atom) -> bool) -> Result<Option<String>, Fault> {
        let names = self.read(self.js.own_names(object))?;
        let Some(other) = names.iter().find(|name| !is_known(name)) else { return Ok(None) };
        let name = self.read(self.js.name(other))?;
        self.read(name.shown()).map(Some)
    }

    /// Checks that an object has no properties but `tag` and `val`.
    fn check_tagged(&self, object: &Value) -> Result<(), Fault> {
        let names = self.state.names();
        match self.other_name(object, |name| name.raw == names.tag.raw || name.raw == names.val.raw)? {
            None => Ok(()),
            Some(other) => Err(wrong(format_args!(
                "a case is an object {{ tag, val }}, and this one has the property `{other}` besides"
            ))),
        }
    }

    /// Reads the value of an object with this tag. Returns `None` for another value.
    fn tagged_value(&self, value: &Value, tags: &[&str]) -> Option<(Value, usize)> {
        if !value.is_object() {
            return None;
        }
        let names = self.state.names();
        let tag = self.js.get(value, &names.tag).inspect_err(|_| self.state.forget_exception()).ok()?;
        let number = tags.iter().position(|known| tag.is_text(known))?;
        self.check_tagged(value).ok()?;
        let payload = self.js.get(value, &names.val).inspect_err(|_| self.state.forget_exception()).ok()?;
        Some((payload, number))
    }
}

// SAFETY: the text of a value is kept by the value until it is dropped, and the bytes of a typed array are kept by the
// value's buffer. Nothing of the guest runs between the read of bytes and the copy that the caller makes, for `LENDS` is
// false.
unsafe impl Read for Values<'_> {
    type Value = Value;
    type Items = Items;
    type Entries = Entries;
    type Error = Fault;

    fn spell_field(name: &str) -> String {
        camel_case(name)
    }

    fn describe(&mut self, value: &Value) -> String {
        describe(value)
    }

    #[inline]
    fn release(&mut self, value: Value) {
        drop(value);
    }

    #[inline]
    fn proceed(&mut self) -> Result<(), Fault> {
        match self.state.deadline.is_over() {
            true => Err(self.state.limits.out_of_time(self.state.guest.bundle())),
            false => Ok(()),
        }
    }

    #[inline]
    fn is_none(&mut self, value: &Value) -> bool {
        value.is_nothing()
    }

    #[inline]
    fn is_unit(&mut self, value: &Value) -> bool {
        value.is_nothing()
    }

    #[inline]
    fn bool(&mut self, value: &Value) -> Option<bool> {
        value.as_bool()
    }

    #[inline]
    fn integer(&mut self, value: &Value) -> Option<i128> {
        if let Some(int) = value.as_int() {
            return Some(int.into());
        }
        if let Some(number) = value.as_number() {
            #[allow(clippy::cast_possible_truncation)] // checked to be an integer in the range
            return (number.trunc() == number && number.abs() <= MAX_EXACT).then_some(number as i128);
        }
        if !value.is_bigint() {
            return None;
        }
        let text = value.text().inspect_err(|_| self.state.forget_exception()).ok()?;
        std::str::from_utf8(text).ok()?.parse().ok()
    }

    #[inline]
    fn float(&mut self, value: &Value, _: bool) -> Option<f64> {
        value.as_number()
    }

    fn char(&mut self, value: &Value) -> Option<char> {
        let RawText { ptr, len } = Read::text(self, value)?;
        // SAFETY: the text stays as long as the value.
        let text = std::str::from_utf8(unsafe { std::slice::from_raw_parts(ptr, len) }).ok()?;
        let mut letters = text.chars();
        letters.next().filter(|_| letters.next().is_none())
    }

    #[inline]
    fn text(&mut self, value: &Value) -> Option<RawText> {
        if !value.is_string() {
            return None;
        }
        value.text().inspect_err(|_| self.state.forget_exception()).ok().map(RawText::from)
    }

    #[inline]
    fn bytes(&mut self, value: &Value) -> Option<RawText> {
        let (ptr, len) = value.bytes().inspect_err(|_| self.state.forget_exception()).ok()??;
        Some(RawText { ptr, len })
    }

    fn some(&mut self, value: &Value, is_nested: bool) -> Option<Value> {
        if !is_nested {
            return Some(value.share());
        }
        self.tagged_value(value, &["some"]).map(|(payload, _)| payload)
    }

    fn list(&mut self, value: &Value) -> Result<Option<(Items, usize)>, Fault> {
        self.items(value)
    }

    fn tuple(&mut self, value: &Value) -> Result<Option<(Items, usize)>, Fault> {
        if value.is_array() { self.items(value) } else { Ok(None) }
    }

    #[inline]
    fn item(&mut self, items: &mut Items, index: usize) -> Result<Value, Fault> {
        let item = self.read(self.js.get_index(&items.list, index))?;
        if item.is_undefined() {
            let is_there = items.may_have_gaps && self.read(self.js.has_own_index(&items.list, index))?;
            if !is_there {
                return Err(wrong(GAP));
            }
        }
        Ok(item)
    }

    fn map(&mut self, value: &Value) -> Result<Option<(Entries, usize)>, Fault> {
        let helpers = self.state.helpers();
        let pairs = if value.is_map() {
            self.read(self.js.call(&helpers.map_pairs, &self.js.undefined(), &[value.raw()]))?
        } else if value.is_object() && value.class() == helpers.plain_class {
            self.read(self.js.call(&helpers.object_pairs, &self.js.undefined(), &[value.raw()]))?
        } else {
            return Ok(None);
        };
        let len = self.read(self.js.len(&pairs))? / 2;
        Ok(Some((Entries { pairs, next: 0, len }, len)))
    }

    fn entry(&mut self, entries: &mut Entries) -> Result<Option<(Value, Value)>, Fault> {
        if entries.next == entries.len {
            return Ok(None);
        }
        let at = 2 * entries.next;
        entries.next += 1;
        let key = self.read(self.js.get_index(&entries.pairs, at))?;
        Ok(Some((key, self.read(self.js.get_index(&entries.pairs, at + 1))?)))
    }

    fn has_fields(&mut self, value: &Value, body: &Body) -> bool {
        match self.prepared.bodies[body.number].layout {
            BodyLayout::Named => value.is_object() && !value.is_array() && !value.is_function(),
            BodyLayout::Numbered => value.is_array(),
            BodyLayout::Single | BodyLayout::Empty => true,
        }
    }

    fn field(&mut self, value: &Value, body: &Body, index: usize) -> Result<Option<Value>, Fault> {
        let fields = &self.prepared.bodies[body.number];
        let found = match fields.layout {
            BodyLayout::Empty => return Ok(None),
            BodyLayout::Single => value.share(),
            BodyLayout::Named if value.is_object() => self.read(self.js.get(value, &fields.keys[index]))?,
            BodyLayout::Numbered if value.is_array() => {
                let len = self.read(self.js.len(value))?;
                if len != fields.keys.len() {
                    let expected = fields.keys.len();
                    return Err(wrong(format_args!(
                        "an array of {expected} fields is expected, and this one has {len}"
                    )));
                }
                self.read(self.js.get_index(value, index))?
            }
            BodyLayout::Named | BodyLayout::Numbered => return Ok(None),
        };
        Ok((!found.is_undefined()).then_some(found))
    }

    fn unknown_field(&mut self, value: &Value, body: &Body) -> Option<String> {
        let fields = &self.prepared.bodies[body.number];
        if fields.layout != BodyLayout::Named || !value.is_object() {
            return None;
        }
        self.other_name(value, |name| fields.keys.iter().any(|key| key.raw == name.raw)).ok().flatten()
    }

    fn enum_case(&mut self, value: &Value, definition: u32) -> Result<CaseOf<()>, Fault> {
        if value.is_string() { self.case_of(definition, value, ()) } else { Ok(CaseOf::None) }
    }

    fn case(&mut self, value: &Value, definition: u32) -> Result<CaseOf<Value>, Fault> {
        // The name alone stands for a case without fields.
        if value.is_string() {
            return self.case_of(definition, value, self.js.undefined());
        }
        if !value.is_object() {
            return Ok(CaseOf::None);
        }
        let names = self.state.names();
        let tag = self.part(value, &names.tag)?;
        if !tag.is_string() {
            return Ok(CaseOf::None);
        }
        let found = self.case_of(definition, &tag, ())?;
        let number = match found {
            CaseOf::Known(number, ()) => number,
            CaseOf::Unknown(name) => return Ok(CaseOf::Unknown(name)),
            CaseOf::None => return Ok(CaseOf::None),
        };
        self.check_tagged(value)?;
        let payload = self.part(value, &names.val)?;
        if !payload.is_nothing() && self.prepared.cases(definition).layouts[number as usize] == BodyLayout::Empty {
            return Err(wrong(format_args!("the case has no fields, got val = {}", describe(&payload))));
        }
        Ok(CaseOf::Known(number, payload))
    }

    fn result(&mut self, value: &Value) -> Option<(Value, bool)> {
        self.tagged_value(value, &["ok", "err"]).map(|(payload, number)| (payload, number == 0))
    }

    fn object(
        &mut self,
        value: &Value,
        definition: u32,
        methods: &[MethodPlan],
    ) -> Result<GuestContractInstance, Fault> {
        if let Some(remote) = remote::of(self.state, value) {
            return remote.object.share();
        }
        // A function is an object with one method.
        let fits = value.is_object() && (!value.is_function() || methods.len() == 1);
        if !fits {
            let expected = &self.prepared.contract.schema.definition(definition).name;
            let found = describe(value);
            return Err(wrong(format_args!("expected {expected}, got {found}: an object with its methods")));
        }
        let object = JsObject::new(value.share());
        self.state.guest.offer::<JsEngine>(object, &self.prepared.contract, definition)
    }
}
