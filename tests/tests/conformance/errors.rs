//! Declared errors are answers; anything else that is raised is an error of the call, which tells what and where.

use test_contracts::conformance::{Failing, Problem};
use test_contracts::types::{Colour, Refusal};

use crate::guest::{Guest, raised};

pub(crate) fn variants_are_declared(guest: &Guest) {
    let (_runtime, _bundle, proxy) = guest.proxy::<dyn Failing>("failing");
    assert_eq!(proxy.variant("closed"), Ok(Err(Refusal::Closed)));
    assert_eq!(proxy.variant("full"), Ok(Err(Refusal::Full { capacity: 7 })));
    assert_eq!(proxy.variant("other"), Ok(Err(Refusal::Other("why".to_owned(), i64::MIN))));
    assert_eq!(proxy.variant("fine"), Ok(Ok(1)));
}

pub(crate) fn enums_are_declared(guest: &Guest) {
    let (_runtime, _bundle, proxy) = guest.proxy::<dyn Failing>("failing");
    assert_eq!(proxy.case(), Ok(Err(Colour::Blue)));
}

pub(crate) fn records_are_declared(guest: &Guest) {
    let (_runtime, _bundle, proxy) = guest.proxy::<dyn Failing>("failing");
    assert_eq!(proxy.record(), Ok(Err(Problem { code: i64::MAX, text: "no".to_owned() })));
}

pub(crate) fn texts_are_declared(guest: &Guest) {
    let (_runtime, _bundle, proxy) = guest.proxy::<dyn Failing>("failing");
    assert_eq!(proxy.text(), Ok(Err("no: 5".to_owned())));
}

pub(crate) fn numbers_are_declared(guest: &Guest) {
    let (_runtime, _bundle, proxy) = guest.proxy::<dyn Failing>("failing");
    assert_eq!(proxy.number(), Ok(Err(u64::MAX)));
}

pub(crate) fn lists_are_declared(guest: &Guest) {
    let (_runtime, _bundle, proxy) = guest.proxy::<dyn Failing>("failing");
    assert_eq!(proxy.list(), Ok(Err(vec!["a".to_owned(), "b".to_owned()])));
}

pub(crate) fn tuples_are_declared(guest: &Guest) {
    let (_runtime, _bundle, proxy) = guest.proxy::<dyn Failing>("failing");
    assert_eq!(proxy.tuple(), Ok(Err((5, None))));
}

pub(crate) fn exceptions_tell_what_and_where(guest: &Guest) {
    let (_runtime, _bundle, proxy) = guest.proxy::<dyn Failing>("failing");
    let answers = [("throw", proxy.throw("no ink").map(drop)), ("raise_nothing", proxy.raise_nothing("no ink"))];
    for (method, answer) in answers {
        let failure = raised(answer);
        assert_eq!(failure.method, format!("test.failing.{method}"));
        // Some languages name the type as well.
        assert!(failure.message.ends_with("no ink"), "{failure:?}");
        let location = failure.location.expect("a location");
        let marked = guest.place("failing");
        let place = marked.to_string();
        let found = location.find(&place).map(|at| location[at + place.len()..].chars().next());
        assert!(matches!(found, Some(None | Some(':'))), "{place} is in {location}");
        if let Some(frame) = guest.frame {
            let (frame, traceback) = (frame(&marked), failure.traceback.expect("a traceback"));
            // The function that raised, and the method that called it.
            assert!(traceback.contains(&frame), "{frame} is in {traceback}");
            assert!(traceback.matches("failing.").count() >= 2, "{traceback}");
        }
    }
    assert_eq!(proxy.calm(7), Ok(7), "the plugin serves on");
}

pub(crate) fn an_exception_is_no_declared_error(guest: &Guest) {
    let (_runtime, _bundle, proxy) = guest.proxy::<dyn Failing>("failing");
    let failure = raised(proxy.raise_instead("no ink"));
    assert!(failure.message.ends_with("no ink"), "{failure:?}");
}

pub(crate) fn odd_words_arrive(guest: &Guest) {
    let (_runtime, _bundle, proxy) = guest.proxy::<dyn Failing>("failing");
    for words in ["Grüße 🦀", "two\nlines", "x:3: y", "", "%s %d {}"] {
        let failure = raised(proxy.throw(words));
        assert!(failure.message.ends_with(words), "{words:?}: {failure:?}");
    }
    let long = "long ".repeat(10_000);
    let failure = raised(proxy.throw(&long));
    assert!(failure.message.contains(&"long ".repeat(10)), "{} bytes", failure.message.len());
}

pub(crate) fn failing_calls_leave_nothing_behind(guest: &Guest) {
    let (runtime, _bundle, proxy) = guest.proxy::<dyn Failing>("failing");
    let fail = || {
        for _ in 0..2000 {
            raised(proxy.throw("no ink"));
            assert!(proxy.variant("other").unwrap().is_err());
        }
        runtime.bundles()[0].memory
    };
    let before = fail().max(fail());
    let after = (0..5).map(|_| fail()).min().expect("five");
    assert!(after < before + (256 << 10), "{before} bytes have become {after}");
}
