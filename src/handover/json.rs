//! The hand-over as JSON.

use std::net::{IpAddr, Ipv4Addr};

use serde::{Serialize, Serializer};

use super::{Forwarded, Handover, Ports, RegionNodes, Versions, joined};
use crate::model::{ClusterId, InstanceId};

/// The document of `muster export --json`.
#[derive(Serialize)]
struct Document<'a> {
    /// The form of this document.
    version: u32,
    cluster: &'a ClusterId,
    /// For `ray.init`.
    ray_address: String,
    /// Quokka's Redis, as this machine reaches it.
    redis: String,
    leader_public_ip: Option<IpAddr>,
    leader_private_ip: Option<Ipv4Addr>,
    cpu_count: u32,
    spill_dir: &'a str,
    instance_ids: Vec<&'a str>,
    public_ips: Vec<String>,
    private_ips: Vec<String>,
    region_info: Regions<'a>,
    forward: Option<Forwarded>,
    versions: Option<&'a Versions>,
    notes: &'a [String],
}

/// A map in the regions' own order.
struct Regions<'a>(&'a [RegionNodes]);

/// A region's value in `region_info`.
#[derive(Serialize)]
struct Info<'a> {
    instance_ids: &'a [InstanceId],
    public_ips: &'a [IpAddr],
    private_ips: &'a [Ipv4Addr],
    vcpu_per_node: u32,
}

impl Serialize for Regions<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|nodes| {
            let RegionNodes { instance_ids, public_ips, private_ips, vcpu_per_node, .. } = nodes;
            let vcpu_per_node = *vcpu_per_node;
            (&nodes.region, Info { instance_ids, public_ips, private_ips, vcpu_per_node })
        }))
    }
}

impl Handover {
    /// One JSON document.
    pub fn json(&self) -> String {
        let document = Document {
            version: 1,
            cluster: &self.cluster,
            ray_address: self.ray_address(),
            redis: joined(&self.endpoint(|ports: &Ports| ports.redis)),
            leader_public_ip: self.leader_public_ip(),
            leader_private_ip: self.leader_private_ip(),
            cpu_count: self.cpu_count,
            spill_dir: &self.spill_dir,
            instance_ids: self.instance_ids(),
            public_ips: self.public_ips(),
            private_ips: self.private_ips(),
            region_info: Regions(&self.regions),
            forward: self.forwarded,
            versions: self.versions.as_ref(),
            notes: &self.notes,
        };
        // Numbers, texts and lists of them: nothing that JSON can't say.
        serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
    }

    /// What `ray.init` takes: `ray://54.1.2.3:10001`.
    pub fn ray_address(&self) -> String {
        format!("ray://{}", joined(&self.endpoint(|ports| ports.client)))
    }
}
