//! A full disk: nothing is launched that could not be recorded, events are recorded
//! once there is room, and terminating is always possible.

use muster::engine::{ClusterPhase, Command, Update};

use super::two_regions;
use crate::support::run::Run;

/// Returns the notices about the disk.
fn about_the_disk(run: &Run) -> Vec<&String> {
    run.notices.iter().filter(|notice| notice.contains("cannot write")).collect()
}

/// Ends the engine; returns the error if it could not write.
async fn end(run: &mut Run) -> Option<String> {
    run.send(Command::Shutdown);
    let mut unwritten = None;
    while let Some(update) = run.next().await {
        if let Update::Unwritten(failure) = update {
            unwritten = Some(failure.to_string());
        }
    }
    unwritten
}

#[tokio::test(start_paused = true)]
async fn full_from_any_write_on_up_again_gives_six() {
    let whole = {
        let mut run = Run::new(&two_regions(""));
        run.up().await;
        run.store.written()
    };
    for room in 0..whole + 4 {
        let mut run = Run::new(&two_regions(""));
        run.store.limit(Some(room));
        run.send(Command::Up);
        run.until(|update, _| matches!(update, Update::UpEnded | Update::Refused(_))).await;
        let on_disk = run.store.records_in_memory();
        assert!(about_the_disk(&run).len() <= 1 + 6, "{room}: {:#?}", run.notices);
        let unwritten = end(&mut run).await;
        let complete = on_disk.len() >= whole && run.store.manifest().is_some();
        assert!(complete || unwritten.is_some() || room < 2, "{room} writes: exit 1");
        for (_, instance) in run.live().await {
            let token = instance.tags["muster:launch"].clone();
            let intended = |one: &muster::engine::Stamped| {
                matches!(&one.event, muster::engine::Event::LaunchIntended { token: own, .. }
                    if own.as_str() == token)
            };
            assert!(on_disk.iter().any(intended), "{room}: {token} is not on disk");
        }
        run.store.limit(None);
        let mut run = Run::on(
            run.world.clone(),
            run.project.clone(),
            run.files.clone(),
            run.store.reopened(usize::MAX),
        );
        run.up().await;
        assert!(run.all_ready(), "{room}: {:?} {:?}", run.phases(), run.notices);
        assert_eq!(run.live().await.len(), 6, "{room}");
        assert!(run.down().await, "{room}");
        assert_eq!(run.live().await, [], "{room}");
    }
}

/// Records of events during the outage are written, in order, with the first record
/// that fits again.
#[tokio::test(start_paused = true)]
async fn events_of_an_outage_are_recorded_once_there_is_room() {
    let mut run = Run::new(&two_regions(""));
    run.send(Command::Up);
    run.until(|_, state| state.launches.len() >= 4).await;
    run.store.limit(Some(0));
    run.until(|_, state| state.nodes.values().any(|node| !node.steps.is_empty())).await;
    run.store.limit(None);
    run.up_ended().await;
    assert!(run.all_ready(), "{:?} {:?}", run.phases(), run.notices);
    assert_eq!(end(&mut run).await, None, "all is written");
    let numbers: Vec<_> = run.store.records_in_memory().iter().map(|one| one.seq).collect();
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>());
    assert_eq!(about_the_disk(&run).len(), 1, "{:?}", run.notices);
}

/// The disk is full from any write of a `down` on, and the next `down` goes on.
#[tokio::test(start_paused = true)]
async fn full_from_any_write_of_down_on_all_is_terminated() {
    let writes = {
        let mut run = Run::new(&two_regions(""));
        run.up().await;
        let before = run.store.written();
        assert!(run.down().await);
        run.store.written() - before
    };
    assert!(writes > 5, "{writes}");
    for room in 0..=writes {
        let mut run = Run::new(&two_regions(""));
        run.up().await;
        run.store.limit(Some(room));
        assert!(run.down().await, "{room}: {:?}", run.notices);
        assert_eq!(run.live().await, [], "{room}");
        run.store.limit(None);
        let mut run = run.killed_and_restarted().await;
        assert!(run.down().await, "{room}: {:?}", run.notices);
        assert_eq!(run.live().await, [], "{room}");
        assert_eq!(run.state.phase, ClusterPhase::Terminated, "{room}");
    }
}

#[tokio::test(start_paused = true)]
async fn down_terminates_on_a_full_disk() {
    let mut run = Run::new(&two_regions(""));
    run.up().await;
    run.store.limit(Some(0));
    assert!(run.down().await, "{:?}", run.notices);
    assert_eq!(run.live().await, []);
    assert_eq!(about_the_disk(&run).len(), 1, "{:?}", run.notices);
    assert!(end(&mut run).await.unwrap().contains("of the journal"));
}
