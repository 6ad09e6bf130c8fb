//! Every order of the steps of several threads, of polyplug as it is.

use polyplug_loom::models;

macro_rules! models {
    ($($module:ident: $($(#[$attribute:meta])? $model:ident)*;)*) => {
        $(mod $module {
            $($(#[$attribute])?
            #[test]
            fn $model() {
                super::models::$module::$model();
            })*
        })*
    };
}

models! {
    store:
        what_is_found_stays_while_the_pin_is_held
        a_handle_leads_to_one_of_two_tables
        a_lease_from_a_handle_keeps_its_provider
        a_snapshot_is_kept_by_itself
        writers_take_turns;
    owners:
        proxies_made_during_an_unload_hold_their_version
        the_first_proxies_share_an_owner
        an_owner_made_after_retirement_is_not_remembered
        a_report_ends_no_instance_under_a_lock;
    revision:
        calls_during_a_reload_find_a_shared_instance
        calls_during_a_reload_find_their_instance
        a_proxy_made_during_a_reload_shares_an_instance
        a_proxy_made_during_a_reload_has_an_instance
        calls_during_an_unload_of_a_shared_instance
        calls_during_an_unload_of_their_instance
        a_call_during_a_second_reload_keeps_the_state
        clones_that_catch_up_share_an_instance
        a_proxy_keeps_only_the_version_it_was_made_with;
    lineage:
        what_serves_stays_while_the_pin_is_held
        an_unload_ends_the_lineage;
    lease:
        the_code_is_reclaimed_after_its_last_user
        the_shared_instance_ends_after_its_last_call
        a_version_reported_as_gone_is_reclaimed;
    reclaim:
        all_queued_resources_are_reclaimed_by_a_thread_that_ends
        all_queued_resources_are_reclaimed_by_a_thread_that_waits
        a_thread_that_ends_leaves_nothing_behind
        collectors_leave_nothing_behind
        an_idle_reclaimer_is_done
        a_wait_for_others_ends_when_they_are_done
        reclaiming_holds_no_lock
        // Crossbeam's collector ends with the first thread, and not with the one that pushes it.
        #[cfg(not(feature = "crossbeam"))]
        pushing_does_not_delay_new_work
        jobs_are_done_in_order;
    engine:
        threads_take_turns
        two_do_not_wait_for_each_other
        three_do_not_wait_for_each_other
        objects_end_once
        a_waiter_does_what_is_asked
        threads_share_a_pool
        a_wait_for_a_pool_ends_with_any_engine
        a_wait_for_a_whole_pool_is_refused;
    tokens:
        what_a_token_names_stays_while_it_is_used
        a_token_is_whole_when_it_is_found
        a_token_ends_once
        a_value_ends_without_a_lock;
}
