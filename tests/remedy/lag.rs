//! Reads that lag behind writes, as EC2's do: new resources are hidden for some time,
//! then shown by every other read, and calls that use them fail as not found.
#![expect(clippy::unwrap_used, reason = "in a test, an error is a failure")]

use std::{
    collections::HashMap,
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use muster::{
    cloud::{
        Change, CloudError, InternetGateway, Peering, Ref, Result, RouteTable, SecurityGroup,
        Source, Subnet, Tagged, Vpc,
    },
    model::Region,
};
use tokio::time::Instant;

/// New resources, and how long they are hidden.
#[derive(Default)]
pub struct Lag {
    span: Duration,
    created: Mutex<HashMap<String, Instant>>,
    changes: Mutex<Vec<(Change, Instant)>>,
    reads: AtomicU32,
}

impl Lag {
    pub fn of(lag: Duration) -> Self {
        Self { span: lag, ..Self::default() }
    }

    /// Records what a call wrote.
    pub fn written(&self, change: &Change, made: Option<&str>) {
        let now = Instant::now();
        if let Some(id) = made {
            self.created.lock().unwrap().insert(id.to_owned(), now);
        }
        self.changes.lock().unwrap().push((change.clone(), now));
    }

    /// Fails calls that use resources newer than a quarter of the lag.
    pub fn check(&self, region: &Region, change: &Change) -> Result<()> {
        let created = self.created.lock().unwrap();
        let new = |id: &String| created.get(id).is_some_and(|at| at.elapsed() < self.span / 4);
        match change.ids().into_iter().find(new) {
            Some(id) => {
                let message = format!("The ID '{id}' does not exist");
                let code = "InvalidResourceID.NotFound";
                Err(CloudError::answered(region, change.operation(), code, message))
            }
            None => Ok(()),
        }
    }

    /// Returns whether this read shows what was written at `at`.
    fn shows(&self, at: Instant, read: u32) -> bool {
        let age = at.elapsed();
        age >= self.span || age >= self.span / 2 && read.is_multiple_of(2)
    }

    fn keep<T>(&self, mut all: Vec<T>, id: impl Fn(&T) -> &str) -> Vec<T> {
        let read = self.reads.fetch_add(1, Ordering::Relaxed);
        let created = self.created.lock().unwrap();
        all.retain(|one| created.get(id(one)).is_none_or(|at| self.shows(*at, read)));
        all
    }

    /// Returns the changes that this read does not show.
    fn hidden(&self) -> Vec<Change> {
        let read = self.reads.fetch_add(1, Ordering::Relaxed);
        let changes = self.changes.lock().unwrap();
        let hidden = changes.iter().filter(|(_, at)| !self.shows(*at, read));
        hidden.map(|(change, _)| change.clone()).collect()
    }

    pub fn tagged(&self, all: Vec<Tagged>) -> Vec<Tagged> {
        self.keep(all, |one| &one.id)
    }

    pub fn vpcs(&self, all: Vec<Vpc>) -> Vec<Vpc> {
        self.keep(all, |one| one.id.as_str())
    }

    pub fn gateways(&self, all: Vec<InternetGateway>) -> Vec<InternetGateway> {
        self.keep(all, |one| &one.id)
    }

    pub fn peerings(&self, all: Vec<Peering>) -> Vec<Peering> {
        self.keep(all, |one| one.id.as_str())
    }

    pub fn subnets(&self, all: Vec<Subnet>) -> Vec<Subnet> {
        let mut all = self.keep(all, |one| one.id.as_str());
        for change in self.hidden() {
            let Change::MapPublicIp { subnet } = change else { continue };
            all.iter_mut().filter(|one| is(&subnet, one.id.as_str())).for_each(|one| {
                one.public_ip_on_launch = false;
            });
        }
        all
    }

    pub fn groups(&self, all: Vec<SecurityGroup>) -> Vec<SecurityGroup> {
        let mut all = self.keep(all, |one| one.id.as_str());
        for change in self.hidden() {
            let Change::AuthorizeIngress { group, rules, .. } = change else { continue };
            for own in all.iter_mut().filter(|one| is(&group, one.id.as_str())) {
                for rule in &rules {
                    let same = own.inbound.iter_mut().filter(|one| one.ports == Some(rule.ports));
                    same.for_each(|one| match &rule.source {
                        Source::Cidr(cidr) => one.cidrs.retain(|own| own != cidr),
                        Source::Group(id) => one.groups.retain(|own| !is(id, own.as_str())),
                    });
                }
            }
        }
        all
    }

    pub fn tables(&self, all: Vec<RouteTable>) -> Vec<RouteTable> {
        let mut all = self.keep(all, |one| one.id.as_str());
        for change in self.hidden() {
            match change {
                Change::CreateRoute { table, destination, .. } => {
                    all.iter_mut().filter(|one| is(&table, one.id.as_str())).for_each(|one| {
                        one.routes.retain(|route| route.destination != destination);
                    });
                }
                Change::AssociateRouteTable { table, subnet } => {
                    all.iter_mut().filter(|one| is(&table, one.id.as_str())).for_each(|one| {
                        one.subnets.retain(|own| !is(&subnet, own.as_str()));
                    });
                }
                _ => {}
            }
        }
        all
    }
}

fn is(reference: &Ref, id: &str) -> bool {
    reference.id() == Some(id)
}
