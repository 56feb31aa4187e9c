//! `DescribeInstanceTypes` and `DescribeInstanceTypeOfferings`.

use aws_sdk_ec2::types::{self, LocationType};

use super::{
    client::RegionClient,
    filter,
    parse::{self, Parsed, Unreadable},
};
use crate::{
    cloud::{InstanceTypeInfo, Offering, Result},
    model::InstanceType,
};

const TYPES: &str = "DescribeInstanceTypes";
const OFFERINGS: &str = "DescribeInstanceTypeOfferings";

/// What these types are, without their prices: EC2 does not return them.
pub(super) async fn describe(
    at: &RegionClient,
    names: &[InstanceType],
) -> Result<Vec<InstanceTypeInfo>> {
    filter::in_chunks("instance-type", names, |filter| async move {
        let pages = at.client.describe_instance_types().filters(filter).into_paginator();
        let found = pages.page_size(100).items().send().try_collect().await;
        at.read(TYPES, found.map_err(|error| at.failed(TYPES, &error))?, info)
    })
    .await
}

/// The zones in which these types are offered.
pub(super) async fn offerings(at: &RegionClient, names: &[InstanceType]) -> Result<Vec<Offering>> {
    filter::in_chunks("instance-type", names, |filter| async move {
        let call = at.client.describe_instance_type_offerings().filters(filter);
        let pages = call.location_type(LocationType::AvailabilityZone).into_paginator();
        let found = pages.page_size(1000).items().send().try_collect().await;
        at.read(OFFERINGS, found.map_err(|error| at.failed(OFFERINGS, &error))?, offering)
    })
    .await
}

fn info(info: types::InstanceTypeInfo) -> Parsed<InstanceTypeInfo> {
    let vcpus = info.v_cpu_info.and_then(|cpus| cpus.default_v_cpus);
    let memory = info.memory_info.and_then(|memory| memory.size_in_mib);
    let architectures = info.processor_info.and_then(|one| one.supported_architectures);
    Ok(InstanceTypeInfo {
        name: parse::name(owned(info.instance_type.as_ref()), "instanceType")?,
        vcpus: vcpus.and_then(|n| u32::try_from(n).ok()).ok_or(Unreadable("defaultVCpus"))?,
        memory_mib: memory.and_then(|n| u64::try_from(n).ok()).ok_or(Unreadable("sizeInMiB"))?,
        architectures: architectures
            .unwrap_or_default()
            .iter()
            .map(|name| name.as_str().to_owned())
            .collect(),
        usd_per_hour: None,
    })
}

fn offering(offering: types::InstanceTypeOffering) -> Parsed<Offering> {
    Ok(Offering {
        instance_type: parse::name(owned(offering.instance_type.as_ref()), "instanceType")?,
        zone: parse::name(offering.location, "location")?,
    })
}

fn owned(name: Option<&types::InstanceType>) -> Option<String> {
    name.map(|name| name.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_size_and_architectures() {
        let sdk = types::InstanceTypeInfo::builder()
            .instance_type(types::InstanceType::M5Large)
            .v_cpu_info(types::VCpuInfo::builder().default_v_cpus(2).build())
            .memory_info(types::MemoryInfo::builder().size_in_mib(8192).build())
            .processor_info(
                types::ProcessorInfo::builder()
                    .supported_architectures(types::ArchitectureType::X8664)
                    .build(),
            );
        let expected = InstanceTypeInfo {
            name: "m5.large".into(),
            vcpus: 2,
            memory_mib: 8192,
            architectures: vec!["x86_64".into()],
            usd_per_hour: None,
        };
        assert_eq!(info(sdk.build()), Ok(expected));
    }

    #[test]
    fn a_type_newer_than_the_sdk_keeps_its_name() {
        let sdk = types::InstanceTypeOffering::builder()
            .instance_type(types::InstanceType::from("m99.large"))
            .location("us-west-2a");
        let expected = Offering { instance_type: "m99.large".into(), zone: "us-west-2a".into() };
        assert_eq!(offering(sdk.build()), Ok(expected));
    }
}
