//! The bytes of buffers and of views of buffers.

use rquickjs::qjs;

use super::value::{Ctx, Pending, Res, Value};

/// Returns a copy of the bytes of an `ArrayBuffer`. Returns `None` for other values and for detached buffers.
pub(super) fn of_buffer(buffer: &Value) -> Res<Option<Vec<u8>>> {
    with_buffer(buffer, <[u8]>::to_vec)
}

/// Lets a function read the bytes of an `ArrayBuffer`. Returns `None` for other values and for detached buffers.
fn with_buffer<T>(buffer: &Value, read: impl FnOnce(&[u8]) -> T) -> Res<Option<T>> {
    let ctx = buffer.ctx();
    // SAFETY: context and value are valid. The bytes stay during `read`, which runs no JavaScript.
    unsafe {
        let mut len = 0;
        let data = qjs::JS_GetArrayBuffer(ctx.raw(), &mut len, buffer.raw());
        if !data.is_null() {
            return Ok(Some(read(std::slice::from_raw_parts(data, len as usize))));
        }
        // An empty buffer has no pointer, and leaves no exception.
        if !qjs::JS_HasException(ctx.raw()) {
            return Ok(Some(read(&[])));
        }
    }
    ctx.recover(Pending).map(|()| None)
}

/// A typed array or a `DataView`: the place of its bytes in a buffer.
pub(super) struct View {
    pub(super) buffer: Value,
    pub(super) offset: usize,
    pub(super) length: usize,
    pub(super) element: usize,
}

/// Returns the place of a typed array's bytes, or `None` if the value is not a typed array.
pub(super) fn typed_array(value: &Value) -> Res<Option<View>> {
    let ctx = value.ctx();
    // SAFETY: context and value are valid; the results are written to live places.
    unsafe {
        if qjs::JS_GetTypedArrayType(value.raw()) < 0 {
            return Ok(None);
        }
        let (mut offset, mut length, mut element) = (0, 0, 0);
        let buffer = qjs::JS_GetTypedArrayBuffer(ctx.raw(), value.raw(), &mut offset, &mut length, &mut element);
        let buffer = ctx.own(buffer)?;
        Ok(Some(View { buffer, offset: offset as usize, length: length as usize, element: element as usize }))
    }
}

/// Returns the place of a `DataView`'s bytes, or `None` if the value is not a `DataView`.
pub(super) fn data_view(value: &Value) -> Res<Option<View>> {
    // SAFETY: the value is valid.
    if !unsafe { qjs::JS_IsDataView(value.raw()) } {
        return Ok(None);
    }
    let place = |name| value.get(name)?.to_number().map(|number| number.max(0.0) as usize);
    Ok(Some(View {
        buffer: value.get(c"buffer")?,
        offset: place(c"byteOffset")?,
        length: place(c"byteLength")?,
        element: 1,
    }))
}

/// Lets a function read the bytes of a buffer or of a view. Throws a `TypeError` for other values.
pub(super) fn read<T>(ctx: Ctx<'_>, value: &Value, read: impl FnOnce(&[u8]) -> T) -> Res<T> {
    let wanted = || ctx.type_error("an ArrayBuffer, a typed array or a DataView is expected");
    if !value.is_object() {
        return Err(wanted());
    }
    let view = match typed_array(value)? {
        Some(view) => Some(view),
        None => data_view(value)?,
    };
    match view {
        Some(view) => with_buffer(&view.buffer, |bytes| {
            let start = view.offset.min(bytes.len());
            let end = view.offset.saturating_add(view.length).min(bytes.len());
            read(&bytes[start..end])
        }),
        None => with_buffer(value, read),
    }?
    .ok_or_else(wanted)
}

/// Writes to the bytes of a `Uint8Array`, from its start. The bytes fit.
pub(super) fn write(ctx: Ctx<'_>, target: &Value, bytes: &[u8]) -> Res<()> {
    // SAFETY: context and value are valid. The pointer is valid for `len` bytes while no JavaScript runs.
    unsafe {
        let mut len = 0;
        let data = qjs::JS_GetUint8Array(ctx.raw(), &mut len, target.raw());
        if data.is_null() && qjs::JS_HasException(ctx.raw()) {
            return Err(Pending);
        }
        if !data.is_null() {
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), data, bytes.len().min(len as usize));
        }
    }
    Ok(())
}

/// Returns the length of a `Uint8Array`. Throws a `TypeError` for other values.
pub(super) fn uint8_length(ctx: Ctx<'_>, target: &Value) -> Res<usize> {
    let mut len = 0;
    // SAFETY: context and value are valid; the length is written to a live place.
    unsafe {
        let data = qjs::JS_GetUint8Array(ctx.raw(), &mut len, target.raw());
        if data.is_null() && qjs::JS_HasException(ctx.raw()) {
            return Err(Pending);
        }
    }
    Ok(len as usize)
}
