//! Values nest up to a limit, beyond which there is an error and never an overflow of the stack.

use polyplug::CallError;
use test_contracts::types::{Depth, chain, folder, onion, tree};

use crate::guest::Guest;

/// How many lists, maps and boxes may lie in one another.
const LIMIT: usize = 128;

#[track_caller]
fn too_large<T: std::fmt::Debug>(answer: Result<T, CallError>, method: &str) {
    let Err(CallError::TooLarge(failure)) = &answer else { panic!("too large, not {answer:?}") };
    assert_eq!(failure.method, format!("test.depth.{method}"));
    assert!(failure.message.contains("nested deeper than 128 levels"), "{failure:?}");
    assert!(failure.message.len() < 400, "the error is short: {failure:?}");
}

pub(crate) fn arguments_nest_up_to_the_limit(guest: &Guest) {
    let (_runtime, _bundle, proxy) = guest.proxy::<dyn Depth>("types");
    for depth in [1, 2, LIMIT] {
        assert_eq!(proxy.measure_tree(&tree(depth)), Ok(depth as u64));
        assert_eq!(proxy.measure_chain(&chain(depth + 1)), Ok(depth as u64 + 1), "the outermost link is in no box");
    }
}

pub(crate) fn arguments_beyond_the_limit_are_refused(guest: &Guest) {
    let (_runtime, _bundle, proxy) = guest.proxy::<dyn Depth>("types");
    for depth in [LIMIT + 1, LIMIT + 2, 1000] {
        too_large(proxy.measure_tree(&tree(depth)), "measure_tree");
        too_large(proxy.measure_chain(&chain(depth + 1)), "measure_chain");
    }
    assert_eq!(proxy.measure_tree(&tree(3)), Ok(3), "the plugin serves on");
}

pub(crate) fn results_nest_up_to_the_limit(guest: &Guest) {
    let (_runtime, _bundle, proxy) = guest.proxy::<dyn Depth>("types");
    for depth in [1, 2, LIMIT] {
        assert_eq!(proxy.tree(depth as u64), Ok(tree(depth)));
        assert_eq!(proxy.chain(depth as u64 + 1), Ok(chain(depth + 1)));
    }
}

pub(crate) fn results_beyond_the_limit_are_refused(guest: &Guest) {
    let (_runtime, _bundle, proxy) = guest.proxy::<dyn Depth>("types");
    for depth in [LIMIT + 1, LIMIT + 2, 1000] {
        too_large(proxy.tree(depth as u64), "tree");
        too_large(proxy.chain(depth as u64 + 1), "chain");
    }
    assert_eq!(proxy.tree(2), Ok(tree(2)), "the plugin serves on");
}

pub(crate) fn maps_and_boxes_are_levels(guest: &Guest) {
    let (_runtime, _bundle, proxy) = guest.proxy::<dyn Depth>("types");
    assert_eq!(proxy.measure_folder(&folder(LIMIT)), Ok(LIMIT as u64));
    assert_eq!(proxy.folder(LIMIT as u64), Ok(folder(LIMIT)));
    too_large(proxy.measure_folder(&folder(LIMIT + 1)), "measure_folder");
    too_large(proxy.folder(LIMIT as u64 + 1), "folder");
    for rings in [true, false] {
        assert_eq!(proxy.measure_onion(&onion(LIMIT, rings)), Ok(LIMIT as u64));
        assert_eq!(proxy.onion(LIMIT as u64, rings), Ok(onion(LIMIT, rings)));
        too_large(proxy.measure_onion(&onion(LIMIT + 1, rings)), "measure_onion");
        too_large(proxy.onion(LIMIT as u64 + 1, rings), "onion");
    }
}
