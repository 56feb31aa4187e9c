//! A thousand nodes take no longer than their slowest one.

use std::time::Duration;

use muster::{engine::NodeState, sim::Scenario};
use tokio::time::Instant;

use crate::support::run::Run;

#[tokio::test(start_paused = true)]
async fn ten_regions_of_a_hundred_nodes_cost_at_most_five_percent_more_than_the_slowest_node() {
    let mut run = Run::new(&Scenario::scale(10, 100).unwrap());
    let begun = Instant::now();
    run.up().await;
    let all = begun.elapsed();
    assert!(run.all_ready(), "{:?}", run.notices);

    let slowest = run.state.nodes.values().map(|node| own_time(&run, node)).max().unwrap();
    let share = all.as_secs_f64() / slowest.as_secs_f64();
    println!("{} nodes: {all:?}; the slowest alone: {slowest:?}", run.state.nodes.len());
    assert!(share <= 1.05, "{all:?} for all, {slowest:?} for the slowest alone");
}

/// Returns the node's own duration: its instance's boot plus its steps.
fn own_time(run: &Run, node: &NodeState) -> Duration {
    let info = node.instance.as_ref().unwrap();
    let steps = node.steps.values().filter_map(|step| {
        let took = step.ended?.duration_since(step.started);
        Duration::try_from(took).ok()
    });
    run.world.boot_time(&info.region, &info.id).unwrap() + steps.sum::<Duration>()
}
