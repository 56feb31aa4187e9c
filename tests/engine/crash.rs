//! Killed after every single record, the next `up` ends with the same six
//! instances: nothing twice, nothing forgotten.

use muster::engine::Command;

use super::two_regions;
use crate::support::run::Run;

/// How many records an `up` has.
async fn records_of_up() -> usize {
    let mut run = Run::new(&two_regions(""));
    run.up().await;
    run.store.written()
}

#[tokio::test(start_paused = true)]
async fn killed_after_each_record_up_again_gives_six() {
    let whole = records_of_up().await;
    assert!(whole > 50, "the story has {whole} records");
    for kill_after in 1..=whole {
        let mut run = Run::new(&two_regions(""));
        run.send_and_see(Command::Up, kill_after).await;
        let mut run = run.killed_and_restarted().await;
        run.up().await;
        assert!(run.all_ready(), "after record {kill_after}: {:?} {:?}", run.phases(), run.notices);
        assert_eq!(run.live().await.len(), 6, "after record {kill_after}");
        assert!(run.down().await);
        assert_eq!(run.live().await, []);
    }
}

#[tokio::test(start_paused = true)]
async fn killed_after_each_record_down_leaves_nothing() {
    for kill_after in 1..=records_of_up().await {
        let mut run = Run::new(&two_regions(""));
        run.send_and_see(Command::Up, kill_after).await;
        let mut run = run.killed_and_restarted().await;
        assert!(run.down().await, "after record {kill_after}");
        assert_eq!(run.live().await, [], "after record {kill_after}");
    }
}
