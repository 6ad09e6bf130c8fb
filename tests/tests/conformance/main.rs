//! What every language has to do, whatever its loader: one list, with a test for each behaviour and language.
//!
//! A language joins with a [`Guest`](guest::Guest), its files in a folder of tests/guests, and a line in `languages`. It
//! says which groups of behaviours apply to it: all languages do `every`; `late_bound` are those whose methods are found by
//! name when a bundle is loaded; `dynamic` are those whose compiler lets a plugin return anything; `scripts` are those whose
//! bundles are source text; `compiled` are those with a compiler whose output is loaded by a VM.

mod compiled;
mod concurrent;
mod depth;
mod errors;
mod guest;
mod hosts;
mod life;
mod loading;
mod memory;
mod objects;
mod peers;
mod reloading;
mod settings;
mod state;
mod values;
mod wrong;

/// A test for each behaviour.
macro_rules! behaviours {
    ($guest:expr; $($module:ident: $($behaviour:ident)+;)+) => {
        $($(
            #[test]
            fn $behaviour() {
                if $guest.is_here() {
                    crate::$module::$behaviour(&$guest);
                }
            }
        )+)+
    };
}

macro_rules! every {
    ($guest:expr) => {
        behaviours! { $guest;
            values:
                every_type_comes_back lists_of_records extremes_are_seen extremes_are_made odd_floats_cross
                every_shape_is_seen every_shape_is_made enums_cross options_are_seen options_are_made empty_values_cross
                records_are_made nothing_crosses many_arguments_keep_their_places;
            depth:
                arguments_nest_up_to_the_limit arguments_beyond_the_limit_are_refused results_nest_up_to_the_limit
                results_beyond_the_limit_are_refused maps_and_boxes_are_levels;
            memory:
                large_text_crosses large_bytes_cross long_lists_cross;
            errors:
                variants_are_declared enums_are_declared records_are_declared texts_are_declared numbers_are_declared
                lists_are_declared tuples_are_declared exceptions_tell_what_and_where
                an_exception_is_no_declared_error odd_words_arrive failing_calls_leave_nothing_behind;
            state:
                proxies_do_not_share_instances clones_share_an_instance a_singleton_is_shared bundles_do_not_share;
            settings:
                settings_are_read settings_may_be_refused;
            hosts:
                the_host_is_called what_is_missing_is_said_so what_is_required_refuses_the_bundle
                what_is_optional_may_come_later what_is_not_granted_is_refused a_panic_of_the_host_can_be_caught
                a_panic_of_the_host_ends_the_call values_cross_to_the_host many_arguments_reach_the_host errors_of_the_host_can_be_caught calls_nest
                nesting_without_end_is_an_error;
            peers:
                a_declared_peer_is_called errors_of_a_peer_can_be_caught what_is_not_declared_is_refused
                an_unloaded_peer_is_an_error a_reloaded_peer_is_followed peers_of_other_languages_are_called;
            objects:
                a_lent_object_is_called objects_return_errors an_object_that_fails_ends_the_call
                a_failing_object_can_be_caught an_object_may_be_kept objects_go_with_their_holder
                an_object_of_its_own_is_kept_by_others an_object_of_its_own_is_lent an_object_is_handed_on
                an_object_ends_with_its_bundle the_host_gets_an_object the_host_keeps_an_object exceptions_of_objects_arrive
                objects_leave_nothing_behind objects_cross_between_languages;
            concurrent:
                threads_share_a_proxy threads_have_proxies_of_their_own threads_get_their_own_errors
                threads_get_one_singleton threads_load_and_unload others_need_not_wait_for_a_call
                bundles_that_call_each_other_do_not_hang;
            reloading:
                the_new_code_serves state_is_carried_over state_is_made_afresh a_state_that_is_refused_keeps_the_old a_state_that_cannot_be_saved_keeps_the_old
                a_failing_reload_keeps_the_old callers_see_one_version_at_a_time settings_are_read_again
                instances_may_stay_on_the_old_code reloads_leave_nothing_behind;
            life:
                proxies_of_unloaded_bundles_say_so an_unloaded_bundle_is_reclaimed a_proxy_keeps_the_code
                a_bundle_is_loaded_again callers_survive_an_unload a_bundle_may_be_unloaded_from_inside
                a_bundle_may_be_reloaded_from_inside a_runtime_ends;
            loading:
                several_plugins_may_be_in_a_file a_start_that_fails_is_reported calls_by_name_do_the_same;
        }
    };
}

macro_rules! late_bound {
    ($guest:expr) => {
        behaviours! { $guest;
            wrong:
                what_is_not_declared_is_an_exception what_is_lent_ends_with_the_call what_is_lent_cannot_be_kept
                objects_of_other_contracts_are_refused values_that_contain_themselves_are_refused;
            loading:
                missing_methods_are_refused misspelt_methods_are_refused unknown_contracts_are_refused
                a_bundle_without_plugins_is_refused later_minors_are_refused earlier_minors_lack_what_is_newer
                a_contract_may_be_described_by_the_bundle
                a_reload_that_lacks_methods_keeps_the_old the_host_may_be_called_at_the_start;
        }
    };
}

macro_rules! dynamic {
    ($guest:expr) => {
        behaviours! { $guest;
            wrong:
                wrong_parts_of_results_are_named wrong_results_are_refused numbers_out_of_range_are_refused
                wrong_errors_are_refused recursion_ends wrong_arguments_for_the_host_are_named wrong_objects_are_refused;
        }
    };
}

macro_rules! scripts {
    ($guest:expr) => {
        behaviours! { $guest;
            loading:
                text_in_memory_is_loaded other_files_are_found nothing_outside_is_found
                a_text_in_memory_has_no_other_files a_syntax_error_is_reported;
        }
    };
}

macro_rules! compiled {
    ($guest:expr) => {
        behaviours! { $guest;
            compiled:
                absent_parts_of_results_are_named absent_results_are_refused absent_errors_are_refused
                absent_arguments_for_the_host_are_named absent_objects_are_refused interfaces_that_differ_are_refused;
            loading:
                bytes_in_memory_are_loaded libraries_are_found bytes_in_memory_have_no_libraries
                what_is_no_program_is_reported;
        }
    };
}

macro_rules! languages {
    ($($(#[$attribute:meta])? $language:ident: $guest:expr => $($group:ident)+;)+) => {
        $($(#[$attribute])? mod $language {
            $($group!($guest);)+
        })+
    };
}

languages! {
    rust: crate::guest::RUST => every;
    lua: crate::guest::LUA => every late_bound dynamic scripts;
    #[cfg(feature = "python")]
    python: crate::guest::PYTHON => every late_bound dynamic scripts;
    js: crate::guest::JS => every late_bound dynamic scripts;
    dotnet9: crate::guest::DOTNET9 => every late_bound compiled;
    dotnet31: crate::guest::DOTNET31 => every late_bound compiled;
}
