//! One contract for `Cloud`, run against independent implementations: the simulated
//! world, moto behind the AWS SDK, and moto behind the layer that makes it
//! realistic. So the demo and the fast tests can't drift away from EC2's behavior.

mod launching;
#[cfg(feature = "aws")]
mod layer;
#[cfg(feature = "aws")]
mod moto;
mod network;
mod reading;
mod refusing;
mod resources;
mod simulated;
mod stopping;
mod world;

/// Generates tests from functions `async fn(&World)`. Those under `both` run in all
/// worlds: each in its own simulated one, and all of a module in sequence in one moto
/// and one layer, which take seconds to start. Those under `simulated` have the
/// reason why moto without the layer can't run them, those under `alone` the reason
/// why the layer can't.
macro_rules! contract {
    (
        both: { $($module:ident: [$($both:ident),* $(,)?]),* $(,)? }
        simulated: { $($lone:ident: [$($simulated:ident),* $(,)?]),* $(,)? }
        alone: { $($only:ident: [$($single:ident),* $(,)?]),* $(,)? }
    ) => {
        #[cfg(feature = "aws")]
        mod on_moto {
            $(
                #[tokio::test]
                async fn $module() {
                    let world = super::moto::world().await;
                    $(
                        println!("{}", stringify!($both));
                        super::$module::$both(&world).await;
                    )*
                }
            )*
        }

        #[cfg(feature = "aws")]
        mod on_ec2_as_it_is {
            $(
                #[tokio::test]
                async fn $module() {
                    let world = super::layer::world().await;
                    $(
                        println!("{}", stringify!($both));
                        super::$module::$both(&world).await;
                    )*
                }
            )*
            mod more {
                $(
                    #[tokio::test]
                    async fn $lone() {
                        let world = super::super::layer::world().await;
                        $(
                            println!("{}", stringify!($simulated));
                            super::super::$lone::$simulated(&world).await;
                        )*
                    }
                )*
            }
        }

        mod in_the_simulation {
            $($(
                #[tokio::test(start_paused = true)]
                async fn $both() {
                    super::$module::$both(&super::simulated::world()).await;
                }
            )*)*
            $($(
                #[tokio::test(start_paused = true)]
                async fn $simulated() {
                    super::$lone::$simulated(&super::simulated::world()).await;
                }
            )*)*
            $($(
                #[tokio::test(start_paused = true)]
                async fn $single() {
                    super::$only::$single(&super::simulated::world()).await;
                }
            )*)*
        }
    };
}

contract! {
    both: {
        reading: [
            what_does_not_exist_is_absent_and_no_error,
            nothing_asked_for_is_nothing_found,
            every_region_knows_all_regions,
            an_image_has_its_owner_and_architecture,
            a_key_pair_comes_with_its_public_key,
            a_group_comes_with_its_inbound_rules,
            a_prefix_list_is_read_with_its_entries,
            groups_are_found_by_name_in_every_vpc,
            subnets_are_found_by_id,
            default_subnets_are_found_without_an_id,
            a_vpc_has_all_its_cidrs,
            route_tables_name_their_subnets,
            a_peering_is_seen_from_both_sides,
            types_and_where_they_are_offered,
        ],
        launching: [
            a_launch_makes_all_instances_with_their_tags,
            instances_are_found_by_tag_and_by_id,
            a_dry_run_launches_nothing,
            a_launch_that_names_what_is_missing_is_refused,
            a_launch_finds_groups_by_name_in_the_default_vpc,
            what_is_terminated_goes_and_the_rest_stays,
            a_termination_that_names_a_stranger_ends_nothing,
            a_console_output_is_of_an_instance_that_exists,
        ],
        stopping: [
            what_is_stopped_keeps_its_private_address_only,
            what_is_started_again_has_another_public_address,
            stopping_and_starting_twice_are_no_errors,
            a_stop_that_names_a_stranger_stops_nothing,
            what_is_stopped_can_be_terminated,
        ],
        network: [
            a_network_is_described_as_it_was_created,
            what_is_made_is_found_by_its_tags,
            what_is_unmade_leaves_nothing,
        ],
        refusing: [
            what_waits_for_an_earlier_step_is_not_asked,
            a_name_that_is_taken_is_refused,
            what_is_nobodys_is_refused,
            addresses_that_do_not_fit_are_refused,
            what_is_there_already_is_refused,
            a_peering_is_accepted_once_and_over_there,
            a_route_is_replaced_only_where_there_is_one,
            what_is_in_use_is_not_deleted,
        ],
        resources: [
            an_imported_key_is_described_with_its_public_half,
            an_image_is_found_by_owner_and_name,
            images_are_found_by_the_start_of_their_names,
            a_copied_image_becomes_available,
            tags_are_added_to_what_is_there,
            instances_are_found_by_their_tags,
        ],
    }
    simulated: {
        reading: [
            // moto returns all peering connections, whatever the filter.
            peerings_of_other_vpcs_are_left_out,
            // moto reports every route as active.
            a_route_through_a_waiting_peering_is_a_black_hole,
        ],
        launching: [
            // moto answers a dry run before it validates the arguments.
            a_dry_run_that_names_what_is_missing_is_refused,
            // moto accepts a group and a subnet of different VPCs.
            a_group_of_another_vpc_is_refused,
            // moto resolves a group name in any VPC.
            a_group_of_another_vpc_is_not_found_by_name,
            // moto ignores tokens.
            the_same_token_launches_once,
            an_unused_token_finds_nothing,
            // moto's console output holds no host keys.
            a_console_output_holds_the_host_keys,
        ],
        stopping: [
            // moto stops every instance named, in whatever state it is.
            spot_instances_are_not_stopped,
            what_is_gone_is_neither_stopped_nor_started,
            a_stop_takes_its_time,
        ],
        network: [
            // moto keeps the tags of deleted resources and does not return those of rules.
            tags_go_with_what_carries_them,
            // moto keeps the association of a deleted subnet, and so the table as well.
            an_association_goes_with_its_subnet,
        ],
        refusing: [
            // moto deletes all of them.
            groups_peerings_and_gateways_in_use_are_not_deleted,
        ],
        resources: [
            // moto's copies are available at once, have no tags and no tokens.
            an_image_is_copied_once_a_token,
            a_copy_launches_only_once_it_is_available,
        ],
    }
    alone: {
        refusing: [
            // moto looks up the other side's VPC at once.
            a_peering_that_cannot_be_fails,
        ],
    }
}
