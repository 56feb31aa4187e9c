//! The world as a scenario.
#![expect(clippy::unwrap_used, reason = "in a test, an error is a failure")]

use muster::sim::{self, Scenario};

use super::world::{IMAGE, IMAGE_NAME, PUBLIC_KEY, Site, World};

/// Creates a world on tokio's clock.
pub fn world() -> World {
    let scenario = include_str!("world.toml")
        .replace("{PUBLIC_KEY}", PUBLIC_KEY)
        .replace("{IMAGE}", IMAGE)
        .replace("{IMAGE_NAME}", IMAGE_NAME);
    let world = sim::World::new(&Scenario::parse(&scenario).unwrap());
    World {
        cloud: world.cloud(),
        west: site("us-west-2", 1),
        east: site("eu-west-1", 2),
        third: "vpc-0a20000000000000c".into(),
        active: "pcx-0a10000000000acee".into(),
        waiting: "pcx-0a1000000000a1734".into(),
        list: "pl-0a1000000000000a".into(),
        keeps: Box::new(world),
    }
}

fn site(region: &str, number: u8) -> Site {
    Site {
        region: region.into(),
        vpc: format!("vpc-0a{number}0000000000000a").into(),
        subnet_a: format!("subnet-0a{number}000000000000a1").into(),
        subnet_b: format!("subnet-0a{number}000000000000b2").into(),
        group: format!("sg-0a{number}0000000000000a").into(),
        main_table: format!("rtb-0a{number}0000000000000a").into(),
        own_table: format!("rtb-0a{number}0000000000000b").into(),
    }
}
