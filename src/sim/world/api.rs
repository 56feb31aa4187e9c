//! The world as EC2: [`Cloud`].

use std::{collections::BTreeSet, net::Ipv4Addr, sync::Arc};

use ipnet::IpNet;
use tokio::time::Instant;

use super::{
    World,
    fault::Call,
    machine::{BY_USER, Machine},
    rules::Refusal,
    state::{HeldSubnet, RegionState, State},
    visible,
};
use crate::{
    cloud::{
        Change, Cloud, ConsoleOutput, Credentials, Image, ImageName, Instance, InstanceFilter,
        InstanceState, InstanceTypeInfo, Interface, InternetGateway, KeyPair, LaunchRequest,
        Offering, Peering, RegionInfo, Result, RouteTable, SecurityGroup, Subnet, SubnetFilter,
        Tagged, Vpc,
    },
    model::{
        Failure, ImageId, InstanceId, InstanceType, KeyName, Region, Secret, SecurityGroupId, VpcId,
    },
};

impl World {
    /// A call that only reads one region.
    async fn read<T>(
        &self,
        region: &Region,
        operation: &'static str,
        read: impl FnOnce(&State, &RegionState) -> Vec<T> + Send,
    ) -> Result<Vec<T>> {
        let call = Call::to(region, operation);
        let effect = |state: &mut State| {
            Ok(state.regions.get(region).map(|held| read(state, held)).unwrap_or_default())
        };
        self.call(call, effect).await
    }

    fn visible_instances(&self, held: &RegionState, filter: &InstanceFilter) -> Vec<Instance> {
        let now = Instant::now();
        let machines = match filter {
            InstanceFilter::Ids(ids) => ids.iter().filter_map(|id| held.machines.get(id)).collect(),
            _ => held.machines.values().collect::<Vec<_>>(),
        };
        machines
            .into_iter()
            .filter(|machine| wanted(held, machine, filter))
            .filter_map(|machine| self.visible(held, machine, now))
            .collect()
    }

    /// What EC2 lists of an instance. It lags behind the actual state: the newest
    /// instances are not listed yet, and those terminated long ago no longer are.
    fn visible(&self, held: &RegionState, machine: &Machine, now: Instant) -> Option<Instance> {
        let lag = self.pace.of(self.spec.api.lag_s);
        let remembers = self.pace.of(self.spec.api.remembers_s);
        let launched = machine.about.life.launched_at;
        let new = launched.is_some_and(|launched| now < launched + lag)
            || !held.is_visible(machine.about.id.as_str());
        let forgotten = machine.terminated_at().is_some_and(|at| at + remembers < now);
        let seen = now.checked_sub(lag).unwrap_or(self.started);
        (!new && !forgotten).then(|| held.visible_instance(machine, seen.max(self.started)))
    }

    fn terminate_in(
        state: &mut State,
        region: &Region,
        ids: &[InstanceId],
    ) -> std::result::Result<Vec<(InstanceId, InstanceState)>, Refusal> {
        let now = Instant::now();
        let Some(held) = state.regions.get(region) else { return Ok(Vec::new()) };
        let find = |id: &InstanceId| held.machines.get(id).ok_or_else(|| missing(id));
        let machines: Vec<&Arc<Machine>> =
            ids.iter().map(find).collect::<std::result::Result<_, _>>()?;
        for machine in &machines {
            machine.terminate(now, BY_USER);
        }
        Ok(machines.iter().map(|one| (one.about.id.clone(), one.state_at(now))).collect())
    }
}

pub(super) fn missing(id: &InstanceId) -> Refusal {
    Refusal::new("InvalidInstanceID.NotFound", format!("The instance ID '{id}' does not exist"))
}

fn wanted(held: &RegionState, machine: &Machine, filter: &InstanceFilter) -> bool {
    let tag = |key: &String| {
        let later = held.tags.get(machine.about.id.as_str()).and_then(|tags| tags.get(key));
        let shows = held.shows_tags(machine.about.id.as_str());
        later.or_else(|| machine.about.tags.get(key)).filter(|_| shows)
    };
    match filter {
        InstanceFilter::Ids(_) => true,
        InstanceFilter::Tag(key, value) => tag(key) == Some(value),
        InstanceFilter::TagIn(key, values) => tag(key).is_some_and(|own| values.contains(own)),
        InstanceFilter::Token(token) => machine.about.token.as_ref() == Some(token),
    }
}

/// Those of `all` whose `id` is one of `ids`, each once.
fn named<T: Clone, I: Ord>(all: &[T], ids: &[I], id: impl Fn(&T) -> &I) -> Vec<T> {
    let ids: BTreeSet<&I> = ids.iter().collect();
    all.iter().filter(|one| ids.contains(id(one))).cloned().collect()
}

#[async_trait::async_trait]
impl Cloud for World {
    fn is_simulated(&self) -> bool {
        true
    }

    async fn credentials(&self) -> std::result::Result<Credentials, Failure> {
        let (id, key) = ("AKIASIMULATED0000000", "simulated/simulated/simulated/simulated");
        Ok(Credentials {
            access_key_id: Secret::new(id),
            secret_access_key: Secret::new(key),
            session_token: None,
        })
    }

    async fn regions(&self, from: &Region) -> Result<Vec<RegionInfo>> {
        let all = |state: &State, _: &RegionState| {
            state.regions.values().map(|held| held.info.clone()).collect()
        };
        self.read(from, "DescribeRegions", all).await
    }

    async fn images(&self, region: &Region, ids: &[ImageId]) -> Result<Vec<Image>> {
        let find = |_: &State, held: &RegionState| {
            let images: Vec<Image> = held.visible_images(Instant::now()).collect();
            named(&images, ids, |image| &image.id)
        };
        self.read(region, "DescribeImages", find).await
    }

    async fn key_pairs(&self, region: &Region, names: &[KeyName]) -> Result<Vec<KeyPair>> {
        let find = |_: &State, held: &RegionState| {
            let visible = held.keys.iter().filter(|key| held.is_visible(&key.id));
            let pairs: Vec<KeyPair> = visible.map(|key| key.pair.clone()).collect();
            named(&pairs, names, |pair| &pair.name)
        };
        self.read(region, "DescribeKeyPairs", find).await
    }

    async fn security_groups(
        &self,
        region: &Region,
        ids: &[SecurityGroupId],
    ) -> Result<Vec<SecurityGroup>> {
        let find = |_: &State, held: &RegionState| {
            let mut found = named(&held.groups, ids, |group| &group.id);
            found.retain(|group| held.is_visible(group.id.as_str()));
            found
        };
        self.read(region, "DescribeSecurityGroups", find).await
    }

    async fn security_groups_named(
        &self,
        region: &Region,
        names: &[String],
    ) -> Result<Vec<SecurityGroup>> {
        let find = |_: &State, held: &RegionState| {
            let visible = |group: &&SecurityGroup| held.is_visible(group.id.as_str());
            let fitting = held.groups.iter().filter(|group| names.contains(&group.name));
            fitting.filter(visible).cloned().collect()
        };
        self.read(region, "DescribeSecurityGroups", find).await
    }

    async fn prefix_list(&self, region: &Region, id: &str) -> Result<Vec<IpNet>> {
        let call = Call::to(region, "GetManagedPrefixListEntries");
        let find = |state: &mut State| {
            let lists = state.regions.get(region).map(|held| &held.prefix_lists);
            lists.and_then(|lists| lists.get(id)).cloned().ok_or_else(|| {
                let message = format!("The prefix list ID '{id}' does not exist");
                Refusal::new("InvalidPrefixListID.NotFound", message)
            })
        };
        self.call(call, find).await
    }

    async fn subnets(&self, region: &Region, filter: &SubnetFilter) -> Result<Vec<Subnet>> {
        let find = |_: &State, held: &RegionState| {
            let fits = |one: &&HeldSubnet| match filter {
                SubnetFilter::Ids(ids) => {
                    ids.contains(&one.subnet.id) && held.is_visible(one.subnet.id.as_str())
                }
                SubnetFilter::DefaultForZones => one.default,
            };
            let now = Instant::now();
            held.subnets.iter().filter(fits).map(|one| held.visible_subnet(one, now)).collect()
        };
        self.read(region, "DescribeSubnets", find).await
    }

    async fn vpcs(&self, region: &Region, ids: &[VpcId]) -> Result<Vec<Vpc>> {
        let find = |_: &State, held: &RegionState| {
            let vpcs: Vec<Vpc> = held.visible_vpcs().collect();
            named(&vpcs, ids, |vpc| &vpc.id)
        };
        self.read(region, "DescribeVpcs", find).await
    }

    async fn route_tables(&self, region: &Region, vpcs: &[VpcId]) -> Result<Vec<RouteTable>> {
        let find = |state: &State, held: &RegionState| {
            let now = Instant::now();
            let of = held.tables.iter().filter(|table| vpcs.contains(&table.vpc));
            let visible = of.filter(|table| held.is_visible(table.id.as_str()));
            visible.map(|table| state.visible_table(table, now)).collect()
        };
        self.read(region, "DescribeRouteTables", find).await
    }

    async fn internet_gateways(
        &self,
        region: &Region,
        ids: &[String],
    ) -> Result<Vec<InternetGateway>> {
        let find = |_: &State, held: &RegionState| {
            let mut found = named(&held.gateways, ids, |gateway| &gateway.id);
            found.retain(|gateway| held.is_visible(&gateway.id));
            found
        };
        self.read(region, "DescribeInternetGateways", find).await
    }

    async fn peerings(&self, region: &Region, vpcs: &[VpcId]) -> Result<Vec<Peering>> {
        let find = |state: &State, _: &RegionState| {
            let now = Instant::now();
            let visible = state.peerings.iter().filter(|held| held.is_visible(region, now));
            let touches = |peering: &Peering| {
                let sides = [&peering.requester, &peering.accepter];
                sides.iter().any(|side| vpcs.contains(&side.vpc))
            };
            visible.map(|held| held.at(now)).filter(touches).collect()
        };
        self.read(region, "DescribeVpcPeeringConnections", find).await
    }

    async fn instance_types(
        &self,
        region: &Region,
        types: &[InstanceType],
    ) -> Result<Vec<InstanceTypeInfo>> {
        let find = |_: &State, held: &RegionState| {
            let types: BTreeSet<&InstanceType> = types.iter().collect();
            types.into_iter().filter_map(|name| held.types.get(name)).cloned().collect()
        };
        self.read(region, "DescribeInstanceTypes", find).await
    }

    async fn offerings(&self, region: &Region, types: &[InstanceType]) -> Result<Vec<Offering>> {
        let find = |_: &State, held: &RegionState| {
            named(&held.offerings, types, |offering| &offering.instance_type)
        };
        self.read(region, "DescribeInstanceTypeOfferings", find).await
    }

    async fn instances(&self, region: &Region, filter: &InstanceFilter) -> Result<Vec<Instance>> {
        let find = |_: &State, held: &RegionState| self.visible_instances(held, filter);
        self.read(region, "DescribeInstances", find).await
    }

    async fn console_output(
        &self,
        region: &Region,
        id: &InstanceId,
    ) -> Result<Option<ConsoleOutput>> {
        let call = Call::to(region, "GetConsoleOutput");
        let read = |state: &mut State| {
            let held = state.regions.get(region).and_then(|held| held.machines.get(id));
            let machine = held.ok_or_else(|| missing(id))?;
            Ok(machine.console_at(Instant::now()).map(ConsoleOutput::new))
        };
        self.call(call, read).await
    }

    async fn dry_run(&self, region: &Region, request: &LaunchRequest) -> Result<()> {
        let call = Call { dry_run: true, ..Call::to(region, "RunInstances") };
        let check = |state: &mut State| match state.regions.get(region) {
            Some(held) => held.check(&self.spec, region, request).map(|_| ()),
            None => Ok(()),
        };
        self.call(call, check).await
    }

    async fn launch(&self, region: &Region, request: &LaunchRequest) -> Result<Vec<Instance>> {
        let call = Call::to(region, "RunInstances");
        self.call(call, |state| self.launch_in(state, region, request)).await
    }

    async fn terminate(
        &self,
        region: &Region,
        ids: &[InstanceId],
    ) -> Result<Vec<(InstanceId, InstanceState)>> {
        let call = Call::to(region, "TerminateInstances");
        self.call(call, |state| Self::terminate_in(state, region, ids)).await
    }

    async fn stop(
        &self,
        region: &Region,
        ids: &[InstanceId],
    ) -> Result<Vec<(InstanceId, InstanceState)>> {
        let call = Call::to(region, "StopInstances");
        self.call(call, |state| Self::stop_in(state, region, ids)).await
    }

    async fn start(
        &self,
        region: &Region,
        ids: &[InstanceId],
    ) -> Result<Vec<(InstanceId, InstanceState)>> {
        let call = Call::to(region, "StartInstances");
        self.call(call, |state| self.start_in(state, region, ids)).await
    }

    async fn images_named(
        &self,
        region: &Region,
        owner: &str,
        name: &ImageName,
    ) -> Result<Vec<Image>> {
        let find = |_: &State, held: &RegionState| {
            let images = held.visible_images(Instant::now());
            images.filter(|image| image.owner == owner && name.matches(&image.name)).collect()
        };
        self.read(region, "DescribeImages", find).await
    }

    async fn all_vpcs(&self, region: &Region) -> Result<Vec<Vpc>> {
        let find = |_: &State, held: &RegionState| held.visible_vpcs().collect();
        self.read(region, "DescribeVpcs", find).await
    }

    async fn own_address(&self) -> Option<Ipv4Addr> {
        Some(self.spec.operator.address)
    }

    async fn interfaces(&self, region: &Region, vpcs: &[VpcId]) -> Result<Vec<Interface>> {
        let find = |_: &State, held: &RegionState| held.interfaces(vpcs, Instant::now());
        self.read(region, "DescribeNetworkInterfaces", find).await
    }

    async fn tagged(&self, region: &Region, keys: &[&str]) -> Result<Vec<Tagged>> {
        let find = |_: &State, held: &RegionState| {
            let now = Instant::now();
            let machines = held.machines.values().filter_map(|one| self.visible(held, one, now));
            let machines =
                machines.filter_map(|one| visible::tagged(one.id.as_str(), &one.tags, keys));
            let mut found: Vec<Tagged> = held.tagged(keys).chain(machines).collect();
            found.sort();
            found
        };
        self.read(region, "DescribeTags", find).await
    }

    async fn change(&self, region: &Region, change: &Change) -> Result<Option<String>> {
        change.check_settled(region)?;
        let call = Call::to(region, change.operation());
        self.call(call, |state| self.change_in(state, region, change)).await
    }
}
