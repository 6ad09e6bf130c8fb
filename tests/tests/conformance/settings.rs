//! A bundle's settings reach its plugins.

use test_contracts::conformance::Reading;

use crate::guest::Guest;

/// Settings of every kind.
pub(crate) const SETTINGS: &str = r#"
[config]
title = "Grüße 🦀"
words = ["a", "", "c"]
verbose = true

[config.limits]
lines = -9007199254740993
share = 0.25
"#;

pub(crate) fn settings_are_read(guest: &Guest) {
    let runtime = guest.runtime();
    let (_bundle, _) = guest.load(&runtime, "named", "reading", SETTINGS);
    let proxy = runtime.proxy::<dyn Reading>().unwrap();
    assert_eq!(proxy.title(), Ok("Grüße 🦀".to_owned()));
    assert_eq!(proxy.limits(), Ok((-9_007_199_254_740_993, 0.25)));
    assert_eq!(proxy.words(), Ok(vec!["a".to_owned(), String::new(), "c".to_owned()]));
    assert_eq!(proxy.verbose(), Ok(true));
    assert_eq!(proxy.bundle(), Ok("named".to_owned()));
    let less = SETTINGS.replace("verbose = true\n", "").replace(r#"["a", "", "c"]"#, "[]");
    let (_other, id) = guest.load(&runtime, "other", "reading", &less);
    let other = runtime.proxy_from::<dyn Reading>(id).unwrap();
    assert_eq!((other.verbose(), other.words()), (Ok(false), Ok(vec![])), "each bundle has its own");
}

pub(crate) fn settings_may_be_refused(guest: &Guest) {
    let runtime = guest.runtime();
    let (_bundle, _) = guest.load(&runtime, "named", "reading", &SETTINGS.replace("Grüße 🦀", ""));
    for _ in 0..2 {
        let error = runtime.proxy::<dyn Reading>().map(drop).unwrap_err().to_string();
        for part in ["`named`", "a title is needed"] {
            assert!(error.contains(part), "{part} is in: {error}");
        }
    }
}
