//! Damaged canonical memory: each change that makes a value invalid.

use polyplug::schema::plan::{Kind, NodeId, Plan};
use polyplug::schema::{Case, Field, Scalar, Schema, Shape};

/// Bytes that are not UTF-8.
static NO_TEXT: [u8; 4] = [b'a', 0xff, 0xfe, b'z'];

/// A change that makes a value invalid, and can be undone.
pub struct Damage {
    /// The path of the changed part, the outermost step first.
    pub path: Vec<String>,
    /// The reason that the error must have besides the path.
    pub reason: String,
    at: *mut u8,
    bytes: Vec<u8>,
}

impl Damage {
    /// Runs `body` on the damaged value, and undoes the damage.
    ///
    /// # Safety
    ///
    /// The memory that was searched for damages must still be allocated, and unchanged.
    pub unsafe fn during<R>(&self, body: impl FnOnce() -> R) -> R {
        let len = self.bytes.len();
        let mut before = vec![0; len];
        // SAFETY: `at` and `bytes` lie within the memory that was searched, which is still allocated (the caller's
        // promise).
        unsafe {
            before.as_mut_ptr().copy_from_nonoverlapping(self.at, len);
            self.at.copy_from_nonoverlapping(self.bytes.as_ptr(), len);
        }
        let result = body();
        // SAFETY: the same bytes as above, of memory that is still allocated.
        unsafe { self.at.copy_from_nonoverlapping(before.as_ptr(), len) };
        result
    }
}

/// Returns every damage of the value of node `id` at `start`.
///
/// # Safety
///
/// `start` must lead to a valid value of the node in memory that may be written to, apart from text and bytes.
#[must_use]
pub unsafe fn damages(schema: &Schema, plan: &Plan, id: NodeId, start: *mut u8) -> Vec<Damage> {
    let mut search = Search { schema, plan, path: Vec::new(), found: Vec::new() };
    // SAFETY: the caller's promise.
    unsafe { search.node(id, start) };
    search.found
}

struct Search<'a> {
    schema: &'a Schema,
    plan: &'a Plan,
    path: Vec<String>,
    found: Vec<Damage>,
}

impl Search<'_> {
    fn add(&mut self, at: *mut u8, bytes: &[u8], reason: &str) {
        let (path, reason, bytes) = (self.path.clone(), reason.to_owned(), bytes.to_vec());
        self.found.push(Damage { path, reason, at, bytes });
    }

    /// # Safety
    ///
    /// The conditions of [`damages`].
    unsafe fn within(&mut self, step: impl Into<String>, id: NodeId, at: *mut u8) {
        self.path.push(step.into());
        // SAFETY: the caller's promise.
        unsafe { self.node(id, at) };
        self.path.pop();
    }

    /// # Safety
    ///
    /// The conditions of [`damages`].
    unsafe fn node(&mut self, id: NodeId, at: *mut u8) {
        let plan = self.plan;
        match &plan.node(id).kind {
            Kind::Scalar(Scalar::Bool) => {
                for byte in [2, 0x80, 0xff] {
                    self.add(at, &[byte], &format!("{byte} is no bool"));
                }
            }
            Kind::Scalar(Scalar::Char) => {
                for number in [0xd800u32, 0xdfff, 0x11_0000, u32::MAX] {
                    self.add(at, &number.to_ne_bytes(), &format!("{number:#x} is no Unicode scalar value"));
                }
            }
            // SAFETY: the node is a list of bytes (the caller's promise).
            Kind::String => unsafe {
                self.list(at, 1, 1);
                let list = [NO_TEXT.as_ptr() as usize, NO_TEXT.len()];
                self.add(at, list.map(usize::to_ne_bytes).as_flattened(), "not UTF-8");
            },
            // SAFETY: the node is a list of bytes (the caller's promise).
            Kind::Bytes => unsafe { self.list(at, 1, 1) },
            Kind::List(of) => {
                let element = plan.node(*of);
                // SAFETY: the node is a list (the caller's promise), and each element lies within.
                unsafe {
                    self.list(at, element.size, element.align);
                    let (start, len) = parts(at);
                    for i in 0..len {
                        self.within(format!("[{i}]"), *of, start.add(i * element.size));
                    }
                }
            }
            Kind::Map { key, value, value_at, stride, align } => {
                // SAFETY: the node is a list of entries (the caller's promise), and both parts lie within one.
                unsafe {
                    self.list(at, *stride, *align);
                    let (start, len) = parts(at);
                    for i in 0..len {
                        let entry = start.add(i * stride);
                        self.path.push(format!("[{i}]"));
                        self.within("key", *key, entry);
                        self.within("value", *value, entry.add(*value_at));
                        if i > 0 {
                            let first = std::slice::from_raw_parts(start, plan.node(*key).size);
                            self.add(entry, first, "comes twice");
                        }
                        self.path.pop();
                    }
                }
            }
            Kind::Option { of, at: value_at } => {
                for tag in [2, 0xff] {
                    self.add(at, &[tag], &format!("{tag} is no case of option"));
                }
                // SAFETY: the node begins with the tag, and tag 1 says that there is a value.
                unsafe {
                    if at.read() == 1 {
                        self.node(*of, at.add(*value_at));
                    }
                }
            }
            // SAFETY: the node is a pointer (the caller's promise).
            Kind::Nullable(_) if unsafe { at.cast::<*mut u8>().read() }.is_null() => {}
            // SAFETY: the node is a pointer (the caller's promise), and the guard above has seen that it is not null.
            Kind::Nullable(of) => unsafe { self.pointer(*of, at) },
            Kind::Box(of) => {
                self.add(at, &[0; 8], "null");
                // SAFETY: the node is a pointer (the caller's promise).
                unsafe { self.pointer(*of, at) };
            }
            Kind::Tuple(places) => {
                for (i, place) in places.iter().enumerate() {
                    // SAFETY: the part lies within the node.
                    unsafe { self.within(i.to_string(), place.node, at.add(place.at)) };
                }
            }
            Kind::Record(number, body) => {
                let Shape::Record(fields) = &self.schema.definition(*number).shape else { unreachable!() };
                for (field, place) in fields.iter().zip(&body.places) {
                    // SAFETY: the field lies within the node.
                    unsafe { self.within(&field.name, place.node, at.add(place.at)) };
                }
            }
            Kind::Enum(number, cases) => {
                let name = self.schema.definition(*number).name.clone();
                for tag in [*cases, u32::MAX] {
                    self.add(at, &tag.to_ne_bytes(), &format!("{tag} is no case of {name}, which has {cases}"));
                }
            }
            Kind::Variant { definition, at: union, cases: bodies } => {
                let definition = self.schema.definition(*definition);
                let Shape::Variant(cases) = &definition.shape else { unreachable!() };
                for tag in [cases.len() as u32, u32::MAX] {
                    self.add(at, &tag.to_ne_bytes(), &format!("{tag} is no case of {}", definition.name));
                }
                // SAFETY: the node begins with the tag, which says which case was filled in.
                unsafe {
                    let tag = at.cast::<u32>().read() as usize;
                    let Case { name, fields, .. } = &cases[tag];
                    self.path.push(name.clone());
                    for (Field { name, .. }, place) in fields.iter().zip(&bodies[tag].places) {
                        self.within(name, place.node, at.add(union + place.at));
                    }
                    self.path.pop();
                }
            }
            Kind::Result { ok, err, at: union } => {
                for tag in [2u32, u32::MAX] {
                    self.add(at, &tag.to_ne_bytes(), &format!("{tag} is no case of result"));
                }
                // SAFETY: the node begins with the tag, which says which of the two was filled in.
                unsafe {
                    match at.cast::<u32>().read() {
                        0 => self.within("ok", *ok, at.add(*union)),
                        _ => self.within("err", *err, at.add(*union)),
                    }
                }
            }
            // Every bit pattern of a number is valid.
            _ => {}
        }
    }

    /// # Safety
    ///
    /// `at` must lead to a list.
    unsafe fn list(&mut self, at: *mut u8, size: usize, align: usize) {
        let too_long = isize::MAX as usize / size + 1;
        // SAFETY: the caller's promise.
        let (start, len) = unsafe { parts(at) };
        // The pointer of an empty list may be any value, or null.
        let start = if len == 0 { NO_TEXT.as_ptr() as usize / 8 * 8 } else { start as usize };
        for (ptr, len, reason) in [
            (0, len.max(1), "the pointer is null or not aligned"),
            (0, usize::MAX, "the pointer is null or not aligned"),
            (start, too_long, "cannot exist"),
            (start, usize::MAX, "cannot exist"),
        ] {
            self.add(at, [ptr, len].map(usize::to_ne_bytes).as_flattened(), reason);
        }
        if align > 1 {
            let list = [start + align / 2, len.max(1)];
            self.add(at, list.map(usize::to_ne_bytes).as_flattened(), "the pointer is null or not aligned");
        }
    }

    /// # Safety
    ///
    /// `at` must lead to a pointer to a value of the node.
    unsafe fn pointer(&mut self, of: NodeId, at: *mut u8) {
        // SAFETY: the caller's promise.
        let start = unsafe { at.cast::<*mut u8>().read() };
        let align = self.plan.node(of).align;
        if align > 1 {
            self.add(at, &(start as usize + align / 2).to_ne_bytes(), "the pointer is null or not aligned");
        }
        // SAFETY: the caller's promise.
        unsafe { self.node(of, start) };
    }
}

/// Returns a list's first element and length.
///
/// # Safety
///
/// `at` must lead to a list.
unsafe fn parts(at: *mut u8) -> (*mut u8, usize) {
    // SAFETY: the caller's promise.
    unsafe { (at.cast::<*mut u8>().read(), at.add(8).cast::<usize>().read()) }
}
