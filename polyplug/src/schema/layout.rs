//! Sizes and alignments in canonical memory, which are those of the `repr(C)` types that the macros make.
//!
//! The sizes of all definitions are computed before any type behind a pointer is laid out, because that type may
//! contain the definition that points at it.

use crate::schema::schema::{Case, Field, Schema, Shape, TypeRef};

/// The greatest depth to which types may contain one another by value.
const DEPTH_LIMIT: usize = 128;

/// The most bytes that a type may occupy by value.
pub(super) const SIZE_LIMIT: usize = 1 << 20;

/// The layout of a list, of text and of bytes: a pointer and a length.
const LIST: Layout = Layout { size: 16, align: 8 };

/// The layout of a pointer.
const POINTER: Layout = Layout { size: 8, align: 8 };

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) size: usize,
    pub(super) align: usize,
}

/// The layouts of a schema's definitions.
pub(super) struct Layouts {
    named: Vec<Layout>,
}

impl Layouts {
    /// Lays out every definition, or returns the reason for which that cannot be done.
    pub(super) fn new(schema: &Schema) -> Result<Self, String> {
        let mut finding = Finding { schema, known: vec![Known::Nothing; schema.types.len()] };
        let named = (0..schema.types.len()).map(|number| Ok(finding.named(number, 0)?.layout));
        Ok(Self { named: named.collect::<Result<_, String>>()? })
    }

    pub(super) fn named(&self, number: u32) -> Layout {
        self.named[number as usize]
    }

    pub(super) fn of(&self, ty: &TypeRef) -> Layout {
        fixed(ty).unwrap_or_else(|| match ty {
            TypeRef::Named(number) => self.named(*number),
            TypeRef::Option(of) => optional(self.of(of)).1,
            TypeRef::Result(ok, err) => tagged(union([self.of(ok), self.of(err)])).1,
            TypeRef::Tuple(parts) => structure(parts.iter().map(|part| self.of(part))).1,
            _ => unreachable!("everything else is of fixed size"),
        })
    }

    /// Returns the offsets of the fields of a C struct, and the struct's layout.
    pub(super) fn fields(&self, fields: &[Field]) -> (Vec<usize>, Layout) {
        structure(fields.iter().map(|field| self.of(&field.ty)))
    }

    /// Returns the layout of the union of all cases of a variant.
    pub(super) fn cases(&self, cases: &[Case]) -> Layout {
        union(cases.iter().map(|case| self.fields(&case.fields).1))
    }
}

/// Returns the layout of a type that does not depend on definitions, or `None` for a type that contains others by
/// value.
fn fixed(ty: &TypeRef) -> Option<Layout> {
    Some(match ty {
        TypeRef::Unit => Layout { size: 0, align: 1 },
        TypeRef::Scalar(scalar) => Layout { size: scalar.size(), align: scalar.size() },
        TypeRef::String | TypeRef::List(_) | TypeRef::Map(..) => LIST,
        TypeRef::Box(_) => POINTER,
        // A null pointer is none.
        TypeRef::Option(of) if matches!(**of, TypeRef::Box(_)) => POINTER,
        TypeRef::Option(_) | TypeRef::Tuple(_) | TypeRef::Result(..) | TypeRef::Named(_) => return None,
    })
}

/// Lays out a C struct: each part at the next multiple of its alignment. Returns the offsets and the struct's layout.
pub(super) fn structure(parts: impl IntoIterator<Item = Layout>) -> (Vec<usize>, Layout) {
    let (mut end, mut align) = (0, 1);
    let places = parts.into_iter().map(|part| {
        let at = round_up(end, part.align);
        end = at + part.size;
        align = align.max(part.align);
        at
    });
    let places = places.collect();
    (places, Layout { size: round_up(end, align), align })
}

/// Lays out a tag of one byte and a value. Returns the offset of the value, and the layout of both.
pub(super) fn optional(value: Layout) -> (usize, Layout) {
    (value.align, Layout { size: value.align + value.size, align: value.align })
}

/// Lays out a tag of four bytes and a union. Returns the offset of the union, and the layout of both.
pub(super) fn tagged(union: Layout) -> (usize, Layout) {
    let at = round_up(4, union.align);
    let align = union.align.max(4);
    (at, Layout { size: round_up(at + union.size, align), align })
}

pub(super) fn union(parts: impl IntoIterator<Item = Layout>) -> Layout {
    let (mut size, mut align) = (0, 1);
    for part in parts {
        size = size.max(part.size);
        align = align.max(part.align);
    }
    Layout { size: round_up(size, align), align }
}

const fn round_up(size: usize, align: usize) -> usize {
    size.div_ceil(align) * align
}

/// The state of a definition while all definitions are being laid out.
#[derive(Clone, Copy)]
enum Known {
    Nothing,
    /// The definition's parts are being laid out.
    Open,
    Done(Found),
}

/// A layout, with the number of types that are nested in it by value.
#[derive(Clone, Copy)]
struct Found {
    layout: Layout,
    height: usize,
}

struct Finding<'a> {
    schema: &'a Schema,
    known: Vec<Known>,
}

impl Finding<'_> {
    fn named(&mut self, number: usize, depth: usize) -> Result<Found, String> {
        let schema = self.schema;
        let definition = &schema.types[number];
        match self.known[number] {
            Known::Done(found) => return Ok(found),
            Known::Open => return Err(format!("`{}` contains itself", definition.name)),
            Known::Nothing => self.known[number] = Known::Open,
        }
        let mut height = 0;
        let layout = match &definition.shape {
            Shape::Record(fields) => self.fields(fields, depth, &mut height)?,
            Shape::Enum(_) => Layout { size: 4, align: 4 },
            Shape::Object(_) => Layout { size: 16, align: 8 },
            Shape::Variant(cases) => {
                let cases = cases.iter().map(|case| self.fields(&case.fields, depth, &mut height));
                tagged(union(cases.collect::<Result<Vec<_>, _>>()?)).1
            }
        };
        if layout.size > SIZE_LIMIT {
            return Err(format!("`{}` takes up more than {SIZE_LIMIT} bytes", definition.name));
        }
        let found = Found { layout, height: height + 1 };
        self.known[number] = Known::Done(found);
        Ok(found)
    }

    fn fields(&mut self, fields: &[Field], depth: usize, height: &mut usize) -> Result<Layout, String> {
        let parts = fields.iter().map(|field| self.part(&field.ty, depth, height));
        Ok(structure(parts.collect::<Result<Vec<_>, _>>()?).1)
    }

    /// Lays out a part, and raises `height` to at least the part's.
    fn part(&mut self, ty: &TypeRef, depth: usize, height: &mut usize) -> Result<Layout, String> {
        let found = self.ty(ty, depth + 1)?;
        *height = found.height.max(*height);
        Ok(found.layout)
    }

    fn ty(&mut self, ty: &TypeRef, depth: usize) -> Result<Found, String> {
        if let Some(layout) = fixed(ty) {
            return Ok(Found { layout, height: 1 });
        }
        // This check bounds the stack. The check of the height below bounds definitions that were laid out before.
        if depth > DEPTH_LIMIT {
            return Err(too_deep());
        }
        let mut height = 0;
        let layout = match ty {
            TypeRef::Named(number) => {
                let found = self.named(*number as usize, depth)?;
                height = found.height - 1;
                found.layout
            }
            TypeRef::Option(of) => optional(self.part(of, depth, &mut height)?).1,
            TypeRef::Result(ok, err) => {
                tagged(union([self.part(ok, depth, &mut height)?, self.part(err, depth, &mut height)?])).1
            }
            TypeRef::Tuple(parts) => {
                let parts = parts.iter().map(|part| self.part(part, depth, &mut height));
                structure(parts.collect::<Result<Vec<_>, _>>()?).1
            }
            _ => unreachable!("everything else is of fixed size"),
        };
        if depth + height > DEPTH_LIMIT {
            return Err(too_deep());
        }
        Ok(Found { layout, height: height + 1 })
    }
}

fn too_deep() -> String {
    format!("types contain one another more than {DEPTH_LIMIT} levels deep")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_union_is_as_large_as_its_alignment_demands() {
        let layout = |size, align| Layout { size, align };
        assert_eq!(union([layout(3, 1), layout(2, 2)]), layout(4, 2));
        assert_eq!(tagged(union([layout(3, 1), layout(2, 2)])), (4, layout(8, 4)));
        assert_eq!(tagged(union([layout(9, 1), layout(8, 8)])), (8, layout(24, 8)));
        assert_eq!(tagged(union([])), (4, layout(4, 4)));
        assert_eq!(structure([layout(1, 1), layout(8, 8), layout(1, 1)]), (vec![0, 8, 16], layout(24, 8)));
        assert_eq!(optional(layout(0, 1)), (1, layout(1, 1)));
    }
}
