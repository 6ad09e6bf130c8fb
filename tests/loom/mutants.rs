//! The mutants: mistakes, each a change of one place, and the model that has to find each of them.

/// A mistake, and the model that has to find it.
pub(crate) struct Mutant {
    /// The mistake, as a name.
    pub(crate) name: &'static str,
    /// The file, below `polyplug/src`.
    pub(crate) file: &'static str,
    /// The code that the mutant replaces. The file has it once.
    pub(crate) from: &'static str,
    /// The code in its place.
    pub(crate) to: &'static str,
    /// The model that has to fail.
    pub(crate) model: &'static str,
    /// The text that the model's failure has to contain.
    pub(crate) complaint: &'static str,
}

/// A value is used, or counted up, after its end.
const USED: &str = "use after its end";

/// Two accesses are not ordered.
const UNORDERED: &str = "Causality violation";

/// A call is forwarded to the version that it comes from.
const ITSELF: &str = "a version that does not serve is found in its own place";

/// A thread waits for ever.
const DEADLOCK: &str = "deadlock";

pub(crate) const MUTANTS: &[Mutant] = &[
    // The store.
    Mutant {
        name: "a_view_is_dropped_at_once",
        file: "host/store/runtime_store.rs",
        from: "unsafe { guard.defer_unchecked(move || drop(Arc::from_raw(old))) };",
        to: "unsafe { drop(Arc::from_raw(old)) };",
        model: "store::what_is_found_stays_while_the_pin_is_held",
        complaint: USED,
    },
    Mutant {
        name: "a_view_is_published_relaxed",
        file: "host/store/runtime_store.rs",
        from: "self.view.swap(new, Ordering::AcqRel, guard)",
        to: "self.view.swap(new, Ordering::Relaxed, guard)",
        model: "store::what_is_found_stays_while_the_pin_is_held",
        complaint: UNORDERED,
    },
    Mutant {
        name: "a_view_is_loaded_relaxed",
        file: "host/store/runtime_store.rs",
        from: "unsafe { self.view.load(Ordering::Acquire, guard).deref() }",
        to: "unsafe { self.view.load(Ordering::Relaxed, guard).deref() }",
        model: "store::a_handle_leads_to_one_of_two_tables",
        complaint: UNORDERED,
    },
    Mutant {
        name: "a_bundle_is_removed_before_it_is_replaced",
        file: "host/store/runtime_store.rs",
        from: "        for provider in providers.into_iter().flatten() {\n",
        to: "        self.install(View::new(Vec::new()), &guard);\n        for provider in providers.into_iter().flatten() {\n",
        model: "store::a_handle_leads_to_one_of_two_tables",
        complaint: "a table all the time",
    },
    Mutant {
        name: "a_writer_does_not_keep_its_turn",
        file: "host/store/runtime_store.rs",
        from: "        let _writer = self.lock();\n        let guard = crossbeam_epoch::pin();\n        let mut slots",
        to: "        let _ = self.lock();\n        let guard = crossbeam_epoch::pin();\n        let mut slots",
        model: "store::writers_take_turns",
        complaint: "a change is lost",
    },
    Mutant {
        name: "a_snapshot_takes_no_count",
        file: "host/store/runtime_store.rs",
        from: "            Arc::increment_strong_count(view);\n",
        to: "",
        model: "store::a_snapshot_is_kept_by_itself",
        complaint: "after the end",
    },
    // Owners that are found without a lock.
    Mutant {
        name: "owners_are_dropped_at_once",
        file: "host/store/instances.rs",
        from: "guard.defer(move || drop(shared));",
        to: "drop(shared);",
        model: "owners::proxies_made_during_an_unload_hold_their_version",
        complaint: "a count is taken after the end",
    },
    Mutant {
        name: "the_recent_owner_is_published_relaxed",
        file: "host/store/instances.rs",
        from: "self.recent.store(Arc::as_ptr(&found).cast_mut(), Ordering::Release);",
        to: "self.recent.store(Arc::as_ptr(&found).cast_mut(), Ordering::Relaxed);",
        model: "owners::the_first_proxies_share_an_owner",
        complaint: UNORDERED,
    },
    Mutant {
        name: "the_recent_owner_is_loaded_relaxed",
        file: "host/store/instances.rs",
        from: "self.recent.load(Ordering::Acquire)",
        to: "self.recent.load(Ordering::Relaxed)",
        model: "owners::the_first_proxies_share_an_owner",
        complaint: UNORDERED,
    },
    Mutant {
        name: "a_retired_owner_is_remembered",
        file: "host/store/instances.rs",
        from: "        if !lists.is_retired {\n            self.recent.store(",
        to: "        {\n            self.recent.store(",
        model: "owners::an_owner_made_after_retirement_is_not_remembered",
        complaint: "a count is taken after the end",
    },
    Mutant {
        name: "a_report_counts_holders_up",
        file: "host/store/instances.rs",
        from: "let own = lists.own.iter().map(|(held, site)| (*site, held.strong_count()));",
        to: "let own = lists.own.iter().filter_map(|(held, _)| held.upgrade());\n        \
             let own = own.map(|held| (held.site, Arc::strong_count(&held) - 1));",
        model: "owners::a_report_ends_no_instance_under_a_lock",
        complaint: DEADLOCK,
    },
    // The revision.
    Mutant {
        name: "the_revision_changes_before_the_lineage",
        file: "host/store/publish.rs",
        from: "    lineage.set(providers.to_vec());\n    // Last,",
        to: "    old.retire_reloaded();\n    lineage.set(providers.to_vec());\n    // Last,",
        model: "revision::calls_during_a_reload_find_a_shared_instance",
        complaint: ITSELF,
    },
    Mutant {
        name: "the_revision_changes_before_the_cells",
        file: "host/store/publish.rs",
        from: "    let mut replaced: Vec<_> =",
        to: "    store.replace_bundle(old.id(), providers.to_vec());\n    lineage.set(providers.to_vec());\n    \
             old.retire_reloaded();\n    let mut replaced: Vec<_> =",
        model: "revision::a_call_during_a_second_reload_keeps_the_state",
        complaint: "carried over",
    },
    Mutant {
        name: "the_revision_changes_before_the_bundle_is_removed",
        file: "host/store/publish.rs",
        from: "    lineage.clear();\n",
        to: "    version.retire_unloaded();\n    lineage.clear();\n",
        model: "revision::calls_during_an_unload_of_a_shared_instance",
        complaint: ITSELF,
    },
    Mutant {
        name: "a_cell_is_looked_into_once",
        file: "host/store/instances.rs",
        from: "            forward = cell.get();\n            if forward.is(&seen) {\n",
        to: "            {\n",
        model: "revision::a_call_during_a_second_reload_keeps_the_state",
        complaint: "an instance is made although its state is carried over",
    },
    Mutant {
        name: "the_last_to_catch_up_wins",
        file: "host/store/instances.rs",
        from: "            done = forward.is(seen);\n",
        to: "            done = true;\n",
        model: "revision::clones_that_catch_up_share_an_instance",
        complaint: "left == right",
    },
    Mutant {
        name: "a_version_is_caught_up_with_after_it_retired",
        file: "host/store/instances.rs",
        from: "            if !next.is_current() {\n",
        to: "            if false {\n",
        model: "revision::a_proxy_keeps_only_the_version_it_was_made_with",
        complaint: DEADLOCK,
    },
    // The lineage.
    Mutant {
        name: "a_list_is_dropped_at_once",
        file: "host/version/lineage.rs",
        from: "unsafe { guard.defer_destroy(old) };",
        to: "unsafe { drop(old.into_owned()) };",
        model: "lineage::what_serves_stays_while_the_pin_is_held",
        complaint: USED,
    },
    Mutant {
        name: "a_list_is_published_relaxed",
        file: "host/version/lineage.rs",
        from: "self.serving.swap(next, Ordering::AcqRel, &guard)",
        to: "self.serving.swap(next, Ordering::Relaxed, &guard)",
        model: "lineage::what_serves_stays_while_the_pin_is_held",
        complaint: UNORDERED,
    },
    Mutant {
        name: "a_list_is_loaded_relaxed",
        file: "host/version/lineage.rs",
        from: "unsafe { self.serving.load(Ordering::Acquire, guard).as_ref() }",
        to: "unsafe { self.serving.load(Ordering::Relaxed, guard).as_ref() }",
        model: "lineage::what_serves_stays_while_the_pin_is_held",
        complaint: UNORDERED,
    },
    Mutant {
        name: "an_unload_leaves_the_lineage",
        file: "host/version/lineage.rs",
        from: "        self.replace(Shared::null());\n",
        to: "",
        model: "lineage::an_unload_ends_the_lineage",
        complaint: DEADLOCK,
    },
    // Leases.
    Mutant {
        name: "resources_are_queued_before_the_last_lease_ends",
        file: "host/version/version.rs",
        from: "        self.revision.set_unloaded();\n",
        to: "        self.revision.set_unloaded();\n        \
             self.reclaimer.enqueue(std::mem::take(&mut *self.resources.lock().unwrap_or_else(PoisonError::into_inner)));\n",
        model: "lease::the_code_is_reclaimed_after_its_last_user",
        complaint: USED,
    },
    Mutant {
        name: "code_is_unmapped_before_instances_end",
        file: "host/version/reclaim.rs",
        from: "        for instance in self.instances.drain(..) {\n            drop(instance);\n        }\n        let mut remains = None;\n",
        to: "        let mut remains = None;\n",
        model: "lease::the_shared_instance_ends_after_its_last_call",
        complaint: USED,
    },
    Mutant {
        name: "a_version_is_reported_as_gone_before_it_is_reclaimed",
        file: "host/version/reclaim.rs",
        from: "        let mut remains = None;\n",
        to: "        let mut remains = None;\n        \
             if let Some(then) = self.when_gone.take() {\n            then(None);\n        }\n",
        model: "lease::a_version_reported_as_gone_is_reclaimed",
        complaint: "it is reported as gone",
    },
    // Reclaiming.
    Mutant {
        name: "the_thread_ends_without_a_last_look",
        file: "host/version/reclaim.rs",
        from: "if waited.timed_out() && !pushing && idle {",
        to: "if waited.timed_out() && !pushing {",
        model: "reclaim::a_thread_that_ends_leaves_nothing_behind",
        complaint: DEADLOCK,
    },
    Mutant {
        name: "the_thread_ends_before_it_says_so",
        file: "host/version/reclaim.rs",
        from: "                state.thread = false;\n                return;\n",
        to: "                drop(state);\n                self.lock().thread = false;\n                return;\n",
        model: "reclaim::a_thread_that_ends_leaves_nothing_behind",
        complaint: DEADLOCK,
    },
    Mutant {
        name: "the_thread_sleeps_after_a_look_without_the_lock",
        file: "host/version/reclaim.rs",
        from: "            let wait = if pushing { wait } else { IDLE_TIMEOUT };\n",
        to: "            let wait = if pushing { wait } else { IDLE_TIMEOUT };\n            drop(state);\n            state = self.lock();\n",
        model: "reclaim::all_queued_resources_are_reclaimed_by_a_thread_that_waits",
        complaint: DEADLOCK,
    },
    Mutant {
        name: "the_thread_sleeps_after_a_push_without_a_look",
        file: "host/version/reclaim.rs",
        from: "                if !state.queue.is_empty() || !state.jobs.is_empty() {\n                    continue; // no thread waited when these were queued\n                }\n",
        to: "",
        model: "reclaim::pushing_does_not_delay_new_work",
        complaint: DEADLOCK,
    },
    Mutant {
        name: "a_collector_says_that_it_ends_after_its_last_look",
        file: "host/version/reclaim.rs",
        from: "                        state.collecting -= 1;\n                        return;\n",
        to: "                        drop(state);\n                        self.0.lock().collecting -= 1;\n                        return;\n",
        model: "reclaim::all_queued_resources_are_reclaimed_by_a_thread_that_ends",
        complaint: DEADLOCK,
    },
    Mutant {
        name: "no_thread_is_notified",
        file: "host/version/reclaim.rs",
        from: "            self.0.more.notify_one();\n            return;\n",
        to: "            return;\n",
        model: "reclaim::all_queued_resources_are_reclaimed_by_a_thread_that_waits",
        complaint: DEADLOCK,
    },
    Mutant {
        name: "a_thread_that_waits_for_others_is_not_notified",
        file: "host/version/reclaim.rs",
        from: "        self.reclaimed.notify_all();\n",
        to: "",
        model: "reclaim::a_wait_for_others_ends_when_they_are_done",
        complaint: DEADLOCK,
    },
    Mutant {
        name: "resources_are_reclaimed_under_the_lock",
        file: "host/version/reclaim.rs",
        from: "        drop(state);\n        drop(queue);\n        let mut state = self.lock();\n",
        to: "        drop(queue);\n",
        model: "reclaim::reclaiming_holds_no_lock",
        complaint: DEADLOCK,
    },
    Mutant {
        name: "a_reclaiming_thread_counts_as_idle",
        file: "host/version/reclaim.rs",
        from: "state.queue.is_empty() && state.busy.iter().all(|thread| *thread == this_thread)",
        to: "state.queue.is_empty()",
        model: "reclaim::an_idle_reclaimer_is_done",
        complaint: "what was queued before is done",
    },
    // Locks of engines.
    Mutant {
        name: "an_engine_is_entered_relaxed",
        file: "host/engine/lock.rs",
        from: "compare_exchange(0, me, Ordering::Acquire, Ordering::Relaxed) {\n            Ok(_) => Ok(()),",
        to: "compare_exchange(0, me, Ordering::Relaxed, Ordering::Relaxed) {\n            Ok(_) => Ok(()),",
        model: "engine::threads_take_turns",
        complaint: UNORDERED,
    },
    Mutant {
        name: "an_engine_is_left_relaxed",
        file: "host/engine/lock.rs",
        from: "self.word.swap(0, Ordering::AcqRel)",
        to: "self.word.swap(0, Ordering::Relaxed)",
        model: "engine::threads_take_turns",
        complaint: UNORDERED,
    },
    Mutant {
        name: "a_waiter_for_an_engine_is_notified_without_the_mutex",
        file: "host/engine/lock.rs",
        from: "            drop(waits());\n",
        to: "",
        model: "engine::threads_take_turns",
        complaint: DEADLOCK,
    },
    Mutant {
        name: "a_waiter_for_an_engine_is_not_notified",
        file: "host/engine/lock.rs",
        from: "            self.freed.notify_all();\n",
        to: "",
        model: "engine::threads_take_turns",
        complaint: DEADLOCK,
    },
    Mutant {
        name: "no_search_for_a_cycle",
        file: "host/engine/lock.rs",
        from: "            waits.find_cycle(locks, me)?;\n",
        to: "",
        model: "engine::two_do_not_wait_for_each_other",
        complaint: DEADLOCK,
    },
    Mutant {
        name: "only_the_next_waiter_is_looked_at",
        file: "host/waits.rs",
        from: "self.search(next, to, path)?",
        to: "return None",
        model: "engine::three_do_not_wait_for_each_other",
        complaint: DEADLOCK,
    },
    Mutant {
        name: "a_busy_engine_is_not_asked",
        file: "host/engine/lock.rs",
        from: "compare_exchange(word, word | ASKED,",
        to: "compare_exchange(word, word,",
        model: "engine::objects_end_once",
        complaint: "objects that ended",
    },
    Mutant {
        name: "one_waiter_forgets_what_is_asked",
        file: "host/engine/lock.rs",
        from: "self.word.fetch_or(me, Ordering::Relaxed);",
        to: "self.word.store(me | CONTENDED, Ordering::Relaxed);",
        model: "engine::a_waiter_does_what_is_asked",
        complaint: "objects that ended",
    },
    Mutant {
        name: "objects_end_outside_of_the_engine",
        file: "host/engine/vm.rs",
        from: "            self.end_all();\n            if !self.lock.leave() {\n                return;\n            }\n",
        to: "            let again = self.lock.leave();\n            self.end_all();\n            if !again {\n                return;\n            }\n",
        model: "engine::objects_end_once",
        complaint: UNORDERED,
    },
    // Pools of engines.
    Mutant {
        name: "a_pool_is_entered_beside_the_own_engine",
        file: "host/engine/vm_pool.rs",
        from: "if entries::any() { first_of(|vm, me| vm.lock().try_again(me)) } else { None }",
        to: "None::<usize>",
        model: "engine::threads_share_a_pool",
        complaint: "the engine that the thread is in",
    },
    Mutant {
        name: "one_busy_engine_of_a_pool_counts_for_all",
        file: "host/waits.rs",
        from: "self.search(next, to, path)?",
        to: "match self.search(next, to, path) { Some(way) => way, None => continue }",
        model: "engine::a_wait_for_a_pool_ends_with_any_engine",
        complaint: "WouldDeadlock",
    },
    Mutant {
        name: "a_pool_waits_for_one_engine",
        file: "host/engine/vm_pool.rs",
        from: "first_of(|vm, me| vm.lock().claim(me))",
        to: "self.vms[0].lock().claim(me).then_some(0)",
        model: "engine::a_wait_for_a_pool_ends_with_any_engine",
        complaint: DEADLOCK,
    },
    // Tokens.
    Mutant {
        name: "a_value_ends_under_the_lock",
        file: "host/abi/slot_map.rs",
        from: "        allocation.values[index as usize].take()\n",
        to: "        allocation.values[index as usize] = None;\n        None\n",
        model: "tokens::a_value_ends_without_a_lock",
        complaint: DEADLOCK,
    },
    Mutant {
        name: "an_entry_is_destroyed_at_once",
        file: "host/abi/slot_map.rs",
        from: "unsafe { guard.defer_destroy(entry) };",
        to: "unsafe { drop(entry.into_owned()) };",
        model: "tokens::what_a_token_names_stays_while_it_is_used",
        complaint: USED,
    },
    Mutant {
        name: "an_entry_is_loaded_relaxed",
        file: "host/abi/slot_map.rs",
        from: "unsafe { slot.entry.load(Ordering::Acquire, &guard).as_ref() }?",
        to: "unsafe { slot.entry.load(Ordering::Relaxed, &guard).as_ref() }?",
        model: "tokens::a_token_is_whole_when_it_is_found",
        complaint: UNORDERED,
    },
];
