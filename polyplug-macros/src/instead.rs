//! The types to write instead of well-known ones that cannot cross.

use syn::{PathArguments, Type};

use crate::source::bare;

/// Well-known types by the last segments of their paths, each with the advice for its users.
const ADVICE: &[(&[&str], &str)] = &[
    (&["PathBuf", "Path", "Utf8PathBuf"], "use `String`, or `Vec<u8>` for a path that need not be UTF-8"),
    (&["OsString", "OsStr", "CString", "CStr"], "use `String`, or `Vec<u8>` for text that need not be UTF-8"),
    (&["Duration", "TimeDelta"], "use `u64` for its milliseconds or nanoseconds, or `f64` for its seconds"),
    (
        &["SystemTime", "DateTime", "NaiveDateTime", "OffsetDateTime", "PrimitiveDateTime", "Timestamp", "Zoned"],
        "use `i64` for the milliseconds since 1970, or `String` for a text such as \"2024-05-31T12:00:00Z\"",
    ),
    (&["NaiveDate", "NaiveTime"], "use `String` for a text such as \"2024-05-31\", or a record of numbers"),
    (
        &["Instant"],
        "an instant means nothing to other languages; use `u64` for the nanoseconds since a moment that both sides know",
    ),
    (
        &["HashSet", "BTreeSet", "IndexSet", "VecDeque", "LinkedList", "BinaryHeap", "SmallVec", "ArrayVec"],
        "use `Vec<T>`",
    ),
    (&["IndexMap"], "use `BTreeMap<K, V>` or `HashMap<K, V>`, or `Vec<(K, V)>` to keep the order"),
    (
        &["Rc", "Arc", "Weak", "RefCell", "Cell", "Mutex", "RwLock", "OnceCell", "OnceLock"],
        "use the value itself, of which each side has its own, or `Callback<dyn Trait>` for an object that both sides call",
    ),
    (&["Cow"], "use the owned type, `String` or `Vec<T>`; an argument may be `&str` or `&[T]`"),
    (&["Uuid"], "use `String`, or `Vec<u8>` for its 16 bytes"),
    (
        &["IpAddr", "Ipv4Addr", "Ipv6Addr", "SocketAddr", "SocketAddrV4", "SocketAddrV6", "Url", "Uri"],
        "use `String` for its text",
    ),
    (&["BigInt", "BigUint", "Decimal", "BigDecimal"], "use `String` for its digits"),
    (&["Bytes", "BytesMut"], "use `Vec<u8>`; an argument may be `&[u8]`"),
    (&["Error"], "use an enum of your own with `#[derive(polyplug::Type)]`, or `String` for the error's text"),
    (&["Result"], "write `Result<T, E>` with an enum `E` that has `#[derive(polyplug::Type)]`, or with `String`"),
    (&["Value"], "use `String` for its text, or a struct with `#[derive(polyplug::Type)]`"),
    (&["Range", "RangeInclusive"], "use a tuple of its ends"),
    (&["Ordering"], "use `i8` for -1, 0 and 1, or an enum of your own with `#[derive(polyplug::Type)]`"),
    (&["NonZeroU8", "NonZeroU16", "NonZeroU32", "NonZeroU64", "NonZeroUsize", "NonZero"], "use the plain number"),
    (&["NonZeroI8", "NonZeroI16", "NonZeroI32", "NonZeroI64", "NonZeroIsize"], "use the plain number"),
];

/// Returns the name of a well-known type, with the advice for its users.
pub(crate) fn of(ty: &Type) -> Option<(String, &'static str)> {
    let Type::Path(path) = bare(ty) else { return None };
    let last = path.path.segments.last().filter(|_| path.qself.is_none())?;
    let name = last.ident.to_string();
    // `Result<T, E>` itself crosses.
    if name == "Result" && matches!(&last.arguments, PathArguments::AngleBracketed(list) if list.args.len() > 1) {
        return None;
    }
    let (_, advice) = ADVICE.iter().find(|(names, _)| names.contains(&name.as_str()))?;
    Some((name, advice))
}
