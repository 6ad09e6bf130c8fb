//! The lineage: the list of what serves is found whole, and stays while the pin is held.

use std::sync::Arc as Untracked;

use super::{Event, join, spawn};
use crate::explore::explore;
use crate::host::code::Code;
use crate::host::runtime::runtime::Runtime;
use crate::host::version::lineage::Lineage;
use crate::sync::Arc;

/// A thread that reads the lineage during a reload finds the old version or the new one, and may use it until the pin
/// is dropped.
pub fn what_serves_stays_while_the_pin_is_held() {
    explore(|| {
        let lineage = Untracked::new(Lineage::default());
        lineage.set(vec![Arc::new(Code::new(1))]);
        let reader = spawn({
            let lineage = Untracked::clone(&lineage);
            move || {
                let guard = crossbeam_epoch::pin();
                lineage.serving(&guard).first().expect("one serves all the time").run()
            }
        });
        lineage.set(vec![Arc::new(Code::new(2))]);
        assert!([1, 2].contains(&join(reader)));
        let guard = crossbeam_epoch::pin();
        assert_eq!(lineage.serving(&guard).first().map(|code| code.run()), Some(2));
    });
}

/// After an unload the lineage is empty and keeps nothing of the bundle, although providers keep the lineage.
pub fn an_unload_ends_the_lineage() {
    explore(|| {
        let runtime = Runtime::new();
        let loaded = runtime.load(1, true);
        let (lineage, reclaimed) = (Arc::clone(&loaded.lineage), Event::reclaimed(&loaded.version));
        let reader = spawn({
            let lineage = Arc::clone(&lineage);
            move || {
                let guard = crossbeam_epoch::pin();
                lineage.serving(&guard).first().map(|provider| provider.plugin.code().run())
            }
        });
        runtime.unload(loaded);
        assert!(matches!(join(reader), Some(1) | None));
        reclaimed.wait();
        assert!(lineage.serving(&crossbeam_epoch::pin()).is_empty());
    });
}
