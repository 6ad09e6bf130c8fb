//! Large values cross whole.

use test_contracts::conformance::Written;
use test_contracts::types::Types;

use crate::guest::Guest;

/// 16 MiB.
const LARGE: usize = 16 << 20;

pub(crate) fn large_text_crosses(guest: &Guest) {
    let (_runtime, _bundle, proxy) = guest.proxy::<dyn Written>("written");
    let text = "🦀".repeat(LARGE / 4);
    assert_eq!(proxy.measure(&text, &[]), Ok((LARGE as u64, 0)));
    assert!(proxy.repeat("🦀", u32::try_from(LARGE / 4).unwrap()).unwrap() == text);
    let (_runtime, _bundle, proxy) = guest.proxy::<dyn Types>("types");
    assert!(proxy.text(text.clone()).unwrap() == text);
}

pub(crate) fn large_bytes_cross(guest: &Guest) {
    let (_runtime, _bundle, proxy) = guest.proxy::<dyn Written>("written");
    let bytes: Vec<u8> = (0..=255).cycle().take(LARGE).collect();
    assert_eq!(proxy.measure("", &bytes), Ok((0, LARGE as u64)));
    assert!(proxy.fill(u32::try_from(LARGE).unwrap()).unwrap() == vec![255; LARGE]);
    let (_runtime, _bundle, proxy) = guest.proxy::<dyn Types>("types");
    assert!(proxy.bytes(bytes.clone()).unwrap() == bytes);
}

pub(crate) fn long_lists_cross(guest: &Guest) {
    let (_runtime, _bundle, proxy) = guest.proxy::<dyn Types>("types");
    let numbers: Vec<i64> = (-100_000..100_000).collect();
    assert!(proxy.list_int64(numbers.clone()).unwrap() == numbers);
    let texts: Vec<String> = (0..100_000).map(|number| format!("text {number}")).collect();
    assert!(proxy.list_text(texts.clone()).unwrap() == texts);
    let entries = (0..50_000).map(|number| (number, u64::try_from(number).unwrap() % 2 == 0));
    let map: std::collections::HashMap<u64, bool> = entries.map(|(key, value)| (key as u64, value)).collect();
    assert!(proxy.hash_nat64(map.clone()).unwrap() == map);
}
