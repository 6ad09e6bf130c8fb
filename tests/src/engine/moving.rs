//! The conversion of values of the toy language to and from canonical memory.

use std::sync::Arc;

use polyplug::engine::{Build, Caller, CaseOf, Fault, Float, Integer, KnownContract, RawText, Read};
use polyplug::schema::plan::{Body, MethodPlan};
use polyplug::schema::{BodyOf, Case, Shape};
use polyplug::types::LiftError;
use polyplug_abi::GuestContractInstance;

use super::vm::ToyVm;
use super::{Object, Toy};

/// The conversion of values of one contract's types.
pub(super) struct Toys<'a> {
    vm: &'a ToyVm,
    of: &'a KnownContract,
    bodies: Vec<BodyOf<'a>>,
}

impl<'a> Toys<'a> {
    pub(super) fn new(vm: &'a ToyVm, of: &'a KnownContract) -> Self {
        Self { vm, of, bodies: of.schema.bodies().collect() }
    }

    fn cases(&self, definition: u32) -> &'a [Case] {
        match &self.of.schema.definition(definition).shape {
            Shape::Enum(cases) | Shape::Variant(cases) => cases,
            other => unreachable!("an enum or a variant, not {other:?}"),
        }
    }

    fn find_case<V>(&self, definition: u32, name: &str, payload: V) -> CaseOf<V> {
        match (0..).zip(self.cases(definition)).find(|(_, case)| case.name == name) {
            Some((number, _)) => CaseOf::Known(number, payload),
            None => CaseOf::Unknown(name.to_owned()),
        }
    }
}

fn entries(map: &mut Toy) -> &mut Vec<(Toy, Toy)> {
    if let Toy::Map(entries) = map { entries } else { unreachable!("made as a map") }
}

impl Build for Toys<'_> {
    type Value = Toy;
    type Error = Fault;

    fn unit(&mut self) -> Result<Toy, Fault> {
        Ok(Toy::Nil)
    }

    fn bool(&mut self, value: bool) -> Result<Toy, Fault> {
        Ok(Toy::Bool(value))
    }

    fn integer(&mut self, value: Integer) -> Result<Toy, Fault> {
        Ok(Toy::Int(match value {
            Integer::U64(number) => number.into(),
            other => other.to_i64().expect("only a u64 does not fit").into(),
        }))
    }

    fn float(&mut self, value: Float) -> Result<Toy, Fault> {
        Ok(Toy::Float(value.to_f64()))
    }

    fn char(&mut self, value: char) -> Result<Toy, Fault> {
        Ok(Toy::text(value))
    }

    fn text(&mut self, value: &str) -> Result<Toy, Fault> {
        Ok(Toy::text(value))
    }

    fn bytes(&mut self, value: &[u8]) -> Result<Toy, Fault> {
        Ok(Toy::Bytes(value.to_vec()))
    }

    fn none(&mut self, _: bool) -> Result<Toy, Fault> {
        Ok(Toy::Nil)
    }

    fn some(&mut self, value: Toy, is_nested: bool) -> Result<Toy, Fault> {
        Ok(if is_nested { Toy::List(vec![value]) } else { value })
    }

    fn list(&mut self, _: usize) -> Result<Toy, Fault> {
        Ok(Toy::List(Vec::new()))
    }

    fn put_item(&mut self, list: &mut Toy, index: usize, item: Toy) -> Result<(), Fault> {
        let Toy::List(items) = list else { unreachable!("made as a list") };
        assert_eq!(index, items.len(), "items come in order");
        items.push(item);
        Ok(())
    }

    fn map(&mut self, _: usize) -> Result<Toy, Fault> {
        Ok(Toy::Map(Vec::new()))
    }

    fn put_entry(&mut self, map: &mut Toy, key: Toy, value: Toy) -> Result<(), Fault> {
        entries(map).push((key, value));
        Ok(())
    }

    fn tuple(&mut self, _: usize) -> Result<Toy, Fault> {
        Ok(Toy::List(Vec::new()))
    }

    fn begin(&mut self, body: &Body) -> Result<Toy, Fault> {
        Ok(match self.bodies[body.number].case {
            Some(case) => Toy::map([("tag", Toy::text(&case.name)), ("val", Toy::map([]))]),
            None => Toy::map([]),
        })
    }

    fn put_field(&mut self, whole: &mut Toy, body: &Body, index: usize, field: Toy) -> Result<(), Fault> {
        let of = &self.bodies[body.number];
        let place = if of.case.is_some() { &mut entries(whole)[1].1 } else { whole };
        entries(place).push((Toy::text(&of.fields[index].name), field));
        Ok(())
    }

    fn case(&mut self, definition: u32, case: u32) -> Result<Toy, Fault> {
        Ok(Toy::text(&self.cases(definition)[case as usize].name))
    }

    fn result(&mut self, value: Toy, is_ok: bool) -> Result<Toy, Fault> {
        Ok(Toy::map([(if is_ok { "ok" } else { "err" }, value)]))
    }

    fn object(&mut self, definition: u32, _: &[MethodPlan], form: GuestContractInstance) -> Result<Toy, Fault> {
        let remote = self.vm.guest.object(self.of, definition, form)?;
        Ok(Toy::Object(Object::Other(Arc::new(remote))))
    }
}

// SAFETY: text and bytes lie on the heap, so they do not move with the value, and stay until `release` drops the value.
unsafe impl Read for Toys<'_> {
    type Value = Toy;
    type Items = std::vec::IntoIter<Toy>;
    type Entries = std::vec::IntoIter<(Toy, Toy)>;
    type Error = Fault;

    fn describe(&mut self, value: &Toy) -> String {
        value.to_string()
    }

    fn release(&mut self, value: Toy) {
        drop(value);
    }

    fn is_none(&mut self, value: &Toy) -> bool {
        matches!(value, Toy::Nil)
    }

    fn is_unit(&mut self, value: &Toy) -> bool {
        matches!(value, Toy::Nil)
    }

    fn bool(&mut self, value: &Toy) -> Option<bool> {
        if let Toy::Bool(flag) = value { Some(*flag) } else { None }
    }

    fn integer(&mut self, value: &Toy) -> Option<i128> {
        if let Toy::Int(number) = value { Some(*number) } else { None }
    }

    fn float(&mut self, value: &Toy, _: bool) -> Option<f64> {
        if let Toy::Float(number) = value { Some(*number) } else { None }
    }

    fn char(&mut self, value: &Toy) -> Option<char> {
        let Toy::Text(text) = value else { return None };
        let mut letters = text.chars();
        letters.next().filter(|_| letters.next().is_none())
    }

    fn text(&mut self, value: &Toy) -> Option<RawText> {
        if let Toy::Text(text) = value { Some(text.as_bytes().into()) } else { None }
    }

    fn bytes(&mut self, value: &Toy) -> Option<RawText> {
        if let Toy::Bytes(bytes) = value { Some(bytes.as_slice().into()) } else { None }
    }

    fn some(&mut self, value: &Toy, is_nested: bool) -> Option<Toy> {
        match value {
            Toy::List(items) if is_nested => {
                if let [item] = items.as_slice() {
                    Some(item.clone())
                } else {
                    None
                }
            }
            _ if is_nested => None,
            plain => Some(plain.clone()),
        }
    }

    fn list(&mut self, value: &Toy) -> Result<Option<(Self::Items, usize)>, Fault> {
        let Toy::List(items) = value else { return Ok(None) };
        Ok(Some((items.clone().into_iter(), items.len())))
    }

    fn tuple(&mut self, value: &Toy) -> Result<Option<(Self::Items, usize)>, Fault> {
        Read::list(self, value)
    }

    fn item(&mut self, items: &mut Self::Items, _: usize) -> Result<Toy, Fault> {
        Ok(items.next().expect("as many as were promised"))
    }

    fn map(&mut self, value: &Toy) -> Result<Option<(Self::Entries, usize)>, Fault> {
        let Toy::Map(entries) = value else { return Ok(None) };
        Ok(Some((entries.clone().into_iter(), entries.len())))
    }

    fn entry(&mut self, entries: &mut Self::Entries) -> Result<Option<(Toy, Toy)>, Fault> {
        Ok(entries.next())
    }

    fn has_fields(&mut self, value: &Toy, _: &Body) -> bool {
        matches!(value, Toy::Map(_))
    }

    fn field(&mut self, value: &Toy, body: &Body, index: usize) -> Result<Option<Toy>, Fault> {
        Ok(value.get(&self.bodies[body.number].fields[index].name).cloned())
    }

    fn unknown_field(&mut self, value: &Toy, body: &Body) -> Option<String> {
        let Toy::Map(entries) = value else { return None };
        let known = self.bodies[body.number].fields;
        let mut names =
            entries.iter().map(|(key, _)| if let Toy::Text(name) = key { name.clone() } else { key.to_string() });
        names.find(|name| known.iter().all(|field| field.name != *name))
    }

    fn enum_case(&mut self, value: &Toy, definition: u32) -> Result<CaseOf<()>, Fault> {
        Ok(if let Toy::Text(name) = value { self.find_case(definition, name, ()) } else { CaseOf::None })
    }

    fn case(&mut self, value: &Toy, definition: u32) -> Result<CaseOf<Toy>, Fault> {
        let Some(Toy::Text(name)) = value.get("tag") else { return Ok(CaseOf::None) };
        let payload = value.get("val").cloned().unwrap_or(Toy::map([]));
        let is_map = matches!(payload, Toy::Map(_));
        Ok(if is_map { self.find_case(definition, name, payload) } else { CaseOf::None })
    }

    fn result(&mut self, value: &Toy) -> Option<(Toy, bool)> {
        let ok = value.get("ok").map(|value| (value.clone(), true));
        ok.or_else(|| value.get("err").map(|value| (value.clone(), false)))
    }

    fn object(&mut self, value: &Toy, definition: u32, _: &[MethodPlan]) -> Result<GuestContractInstance, Fault> {
        match value {
            Toy::Object(Object::Own(thing)) => {
                self.vm.count_made();
                self.vm.guest.offer::<ToyVm>(Arc::clone(thing), self.of, definition)
            }
            Toy::Object(Object::Other(remote)) => remote.share(),
            other => Err(LiftError::new(format_args!("expected an object, got {other}")).into()),
        }
    }
}

impl Caller for Toys<'_> {}
