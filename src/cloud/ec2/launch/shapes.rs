//! The structures within arguments of `RunInstances`: a row for each member,
//! with the mapping of its value. What is of another type than the member
//! takes can't come here: configs are read by a table of the same members.

use aws_sdk_ec2::types;
use serde_json::Value;

macro_rules! shapes {
    ($($name:ident: $shape:ident { $($key:literal => $set:ident($read:expr),)* })*) => {
        $(pub(super) fn $name(from: &Value) -> Option<types::$shape> {
            let from = from.as_object()?;
            let builder = types::$shape::builder();
            $(let builder = builder.$set(from.get($key).and_then($read));)*
            Some(builder.build())
        })*
    };
}

pub(super) fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// One of EC2's own names; those that the SDK does not know go as they are.
pub(super) fn name<T: for<'a> From<&'a str>>(value: &Value) -> Option<T> {
    value.as_str().map(T::from)
}

pub(super) fn int(value: &Value) -> Option<i32> {
    value.as_i64().and_then(|number| i32::try_from(number).ok())
}

pub(super) fn flag(value: &Value) -> Option<bool> {
    value.as_bool()
}

pub(super) fn texts(value: &Value) -> Option<Vec<String>> {
    list(text)(value)
}

/// A list whose items `read` reads.
pub(super) fn list<T>(read: impl Fn(&Value) -> Option<T>) -> impl Fn(&Value) -> Option<Vec<T>> {
    move |value| Some(value.as_array()?.iter().filter_map(&read).collect())
}

shapes! {
    block_device: BlockDeviceMapping {
        "DeviceName" => set_device_name(text),
        "Ebs" => set_ebs(ebs),
        "NoDevice" => set_no_device(text),
        "VirtualName" => set_virtual_name(text),
    }
    cpu: CpuOptionsRequest {
        "AmdSevSnp" => set_amd_sev_snp(name),
        "CoreCount" => set_core_count(int),
        "NestedVirtualization" => set_nested_virtualization(name),
        "ThreadsPerCore" => set_threads_per_core(int),
    }
    credits: CreditSpecificationRequest {
        "CpuCredits" => set_cpu_credits(text),
    }
    ebs: EbsBlockDevice {
        "AvailabilityZone" => set_availability_zone(text),
        "AvailabilityZoneId" => set_availability_zone_id(text),
        "DeleteOnTermination" => set_delete_on_termination(flag),
        "EbsCardIndex" => set_ebs_card_index(int),
        "Encrypted" => set_encrypted(flag),
        "Iops" => set_iops(int),
        "KmsKeyId" => set_kms_key_id(text),
        "OutpostArn" => set_outpost_arn(text),
        "SnapshotId" => set_snapshot_id(text),
        "Throughput" => set_throughput(int),
        "VolumeInitializationRate" => set_volume_initialization_rate(int),
        "VolumeSize" => set_volume_size(int),
        "VolumeType" => set_volume_type(name),
    }
    ena_srd: EnaSrdSpecificationRequest {
        "EnaSrdEnabled" => set_ena_srd_enabled(flag),
        "EnaSrdUdpSpecification" => set_ena_srd_udp_specification(ena_srd_udp),
    }
    ena_srd_udp: EnaSrdUdpSpecificationRequest {
        "EnaSrdUdpEnabled" => set_ena_srd_udp_enabled(flag),
    }
    enclave: EnclaveOptionsRequest {
        "Enabled" => set_enabled(flag),
    }
    hibernation: HibernationOptionsRequest {
        "Configured" => set_configured(flag),
    }
    interface: InstanceNetworkInterfaceSpecification {
        "AssociateCarrierIpAddress" => set_associate_carrier_ip_address(flag),
        "AssociatePublicIpAddress" => set_associate_public_ip_address(flag),
        "ConnectionTrackingSpecification" => set_connection_tracking_specification(tracking),
        "DeleteOnTermination" => set_delete_on_termination(flag),
        "Description" => set_description(text),
        "DeviceIndex" => set_device_index(int),
        "EnaQueueCount" => set_ena_queue_count(int),
        "EnaSrdSpecification" => set_ena_srd_specification(ena_srd),
        "Groups" => set_groups(texts),
        "InterfaceType" => set_interface_type(text),
        "Ipv4PrefixCount" => set_ipv4_prefix_count(int),
        "Ipv4Prefixes" => set_ipv4_prefixes(list(ipv4_prefix)),
        "Ipv6AddressCount" => set_ipv6_address_count(int),
        "Ipv6Addresses" => set_ipv6_addresses(list(ipv6_address)),
        "Ipv6PrefixCount" => set_ipv6_prefix_count(int),
        "Ipv6Prefixes" => set_ipv6_prefixes(list(ipv6_prefix)),
        "NetworkCardIndex" => set_network_card_index(int),
        "NetworkInterfaceId" => set_network_interface_id(text),
        "PrimaryIpv6" => set_primary_ipv6(flag),
        "PrivateIpAddress" => set_private_ip_address(text),
        "PrivateIpAddresses" => set_private_ip_addresses(list(private_address)),
        "SecondaryPrivateIpAddressCount" => set_secondary_private_ip_address_count(int),
        "SubnetId" => set_subnet_id(text),
    }
    ipv4_prefix: Ipv4PrefixSpecificationRequest {
        "Ipv4Prefix" => set_ipv4_prefix(text),
    }
    ipv6_address: InstanceIpv6Address {
        "Ipv6Address" => set_ipv6_address(text),
        "IsPrimaryIpv6" => set_is_primary_ipv6(flag),
    }
    ipv6_prefix: Ipv6PrefixSpecificationRequest {
        "Ipv6Prefix" => set_ipv6_prefix(text),
    }
    licence: LicenseConfigurationRequest {
        "LicenseConfigurationArn" => set_license_configuration_arn(text),
    }
    maintenance: InstanceMaintenanceOptionsRequest {
        "AutoRecovery" => set_auto_recovery(name),
    }
    metadata: InstanceMetadataOptionsRequest {
        "HttpEndpoint" => set_http_endpoint(name),
        "HttpProtocolIpv6" => set_http_protocol_ipv6(name),
        "HttpPutResponseHopLimit" => set_http_put_response_hop_limit(int),
        "HttpTokens" => set_http_tokens(name),
        "InstanceMetadataTags" => set_instance_metadata_tags(name),
    }
    monitoring: RunInstancesMonitoringEnabled {
        "Enabled" => set_enabled(flag),
    }
    operator: OperatorRequest {
        "Principal" => set_principal(text),
    }
    performance: InstanceNetworkPerformanceOptionsRequest {
        "BandwidthWeighting" => set_bandwidth_weighting(name),
    }
    placement: Placement {
        "Affinity" => set_affinity(text),
        "AvailabilityZone" => set_availability_zone(text),
        "AvailabilityZoneId" => set_availability_zone_id(text),
        "GroupId" => set_group_id(text),
        "GroupName" => set_group_name(text),
        "HostId" => set_host_id(text),
        "HostResourceGroupArn" => set_host_resource_group_arn(text),
        "PartitionNumber" => set_partition_number(int),
        "SpreadDomain" => set_spread_domain(text),
        "Tenancy" => set_tenancy(name),
    }
    private_address: PrivateIpAddressSpecification {
        "Primary" => set_primary(flag),
        "PrivateIpAddress" => set_private_ip_address(text),
    }
    private_dns: PrivateDnsNameOptionsRequest {
        "EnableResourceNameDnsAAAARecord" => set_enable_resource_name_dns_aaaa_record(flag),
        "EnableResourceNameDnsARecord" => set_enable_resource_name_dns_a_record(flag),
        "HostnameType" => set_hostname_type(name),
    }
    reservation: CapacityReservationSpecification {
        "CapacityReservationPreference" => set_capacity_reservation_preference(name),
        "CapacityReservationTarget" => set_capacity_reservation_target(reservation_target),
    }
    reservation_target: CapacityReservationTarget {
        "CapacityReservationId" => set_capacity_reservation_id(text),
        "CapacityReservationResourceGroupArn" => set_capacity_reservation_resource_group_arn(text),
    }
    secondary_address: InstanceSecondaryInterfacePrivateIpAddressRequest {
        "PrivateIpAddress" => set_private_ip_address(text),
    }
    secondary_interface: InstanceSecondaryInterfaceSpecificationRequest {
        "DeleteOnTermination" => set_delete_on_termination(flag),
        "DeviceIndex" => set_device_index(int),
        "InterfaceType" => set_interface_type(name),
        "NetworkCardIndex" => set_network_card_index(int),
        "PrivateIpAddressCount" => set_private_ip_address_count(int),
        "PrivateIpAddresses" => set_private_ip_addresses(list(secondary_address)),
        "SecondarySubnetId" => set_secondary_subnet_id(text),
    }
    tracking: ConnectionTrackingSpecificationRequest {
        "TcpEstablishedTimeout" => set_tcp_established_timeout(int),
        "UdpStreamTimeout" => set_udp_stream_timeout(int),
        "UdpTimeout" => set_udp_timeout(int),
    }
}
