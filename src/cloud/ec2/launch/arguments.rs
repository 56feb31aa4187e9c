//! The arguments that reach `RunInstances` as the config gives them: a row for
//! each, with the mapping of its value.

use aws_sdk_ec2::operation::run_instances::builders::RunInstancesFluentBuilder;

use super::shapes::{
    block_device, cpu, credits, enclave, flag, hibernation, int, interface, ipv6_address, licence,
    list, maintenance, metadata, monitoring, name, operator, performance, placement, private_dns,
    reservation, secondary_interface, text, texts,
};
use crate::cloud::Arguments;

macro_rules! arguments {
    ($($key:literal => $set:ident($read:expr),)*) => {
        /// Every argument of `RunInstances` that a config can give.
        pub const NAMES: &[&str] = &[$($key),*];

        /// Gives `call` all of `more`.
        pub(super) fn add(
            call: RunInstancesFluentBuilder,
            more: &Arguments,
        ) -> RunInstancesFluentBuilder {
            $(let call = call.$set(more.get($key).and_then($read));)*
            call
        }
    };
}

arguments! {
    "AdditionalInfo" => set_additional_info(text),
    "BlockDeviceMappings" => set_block_device_mappings(list(block_device)),
    "CapacityReservationSpecification" => set_capacity_reservation_specification(reservation),
    "CpuOptions" => set_cpu_options(cpu),
    "CreditSpecification" => set_credit_specification(credits),
    "DisableApiStop" => set_disable_api_stop(flag),
    "EbsOptimized" => set_ebs_optimized(flag),
    "EnablePrimaryIpv6" => set_enable_primary_ipv6(flag),
    "EnclaveOptions" => set_enclave_options(enclave),
    "HibernationOptions" => set_hibernation_options(hibernation),
    "InstanceInitiatedShutdownBehavior" => set_instance_initiated_shutdown_behavior(name),
    "Ipv6AddressCount" => set_ipv6_address_count(int),
    "Ipv6Addresses" => set_ipv6_addresses(list(ipv6_address)),
    "KernelId" => set_kernel_id(text),
    "LicenseSpecifications" => set_license_specifications(list(licence)),
    "MaintenanceOptions" => set_maintenance_options(maintenance),
    "MetadataOptions" => set_metadata_options(metadata),
    "Monitoring" => set_monitoring(monitoring),
    "NetworkInterfaces" => set_network_interfaces(list(interface)),
    "NetworkPerformanceOptions" => set_network_performance_options(performance),
    "Operator" => set_operator(operator),
    "Placement" => set_placement(placement),
    "PrivateDnsNameOptions" => set_private_dns_name_options(private_dns),
    "PrivateIpAddress" => set_private_ip_address(text),
    "RamdiskId" => set_ramdisk_id(text),
    "SecondaryInterfaces" => set_secondary_interfaces(list(secondary_interface)),
    "SecurityGroups" => set_security_groups(texts),
}
