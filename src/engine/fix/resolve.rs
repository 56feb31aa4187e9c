//! What came of calls whose end is not known: those of a fix that was cut off,
//! and those without an answer. Most calls that create something take no
//! idempotency token, so what they created is found by the tags that were
//! part of the call. EC2 may show tags seconds late, and two reads in a row may
//! disagree: one read that shows it is enough, and it takes all reads of the
//! whole time to say that there is nothing.

use std::{collections::BTreeMap, time::Duration};

use futures_util::future::join_all;
use tokio::time::{Instant, sleep};

use crate::{
    cloud::{Change, CloudError, ErrorKind, StepId, Tagged, tags},
    model::{Failure, Region, count},
    remedy::{self, Intent, Record, Unrecorded},
};

use super::{
    super::{Event, Update, resources, shared::Shared},
    planning,
};

/// How long after its call a resource may show up.
const SHOW: Duration = Duration::from_secs(20);
/// How long to search at least, and the pause between reads.
const LOOK: Duration = Duration::from_secs(10);
/// The age after which that is enough. A call is announced once and may be
/// repeated for minutes.
const OLD: Duration = Duration::from_mins(30);
const AGAIN: Duration = Duration::from_secs(1);
/// How long reads may fail.
const READS: Duration = Duration::from_mins(1);

/// What the step `slot` has created that is not on record. `Ok(None)`: EC2
/// showed nothing in all the time that it may take.
pub(super) async fn created(
    shared: &Shared,
    region: &Region,
    slot: &StepId,
    change: &Change,
) -> Result<Option<String>, CloudError> {
    let record = resources::record(shared).await;
    let began = Instant::now();
    let what =
        format!("what {} may have created, for up to {} s", change.operation(), SHOW.as_secs());
    let _wait = shared.waits.begin(region, what);
    loop {
        let found = tagged(shared, region, &record).await;
        match found {
            Ok(found) => {
                let ids = found.into_iter().filter(|(of, _)| of == slot);
                for (_, id) in ids {
                    if is_as_created(shared, region, change, &id).await? {
                        return Ok(Some(id));
                    }
                }
                if began.elapsed() > SHOW {
                    return Ok(None);
                }
            }
            Err(error) if began.elapsed() > SHOW || is_final(&error) => return Err(error),
            Err(_) => {}
        }
        sleep(AGAIN).await;
    }
}

/// A group that was just created admits nobody and is in the VPC that was
/// named: one with rules was made or changed by others.
async fn is_as_created(
    shared: &Shared,
    region: &Region,
    change: &Change,
    id: &str,
) -> Result<bool, CloudError> {
    let Change::CreateSecurityGroup { vpc, .. } = change else { return Ok(true) };
    let groups = shared.cloud.security_groups(region, &[id.into()]).await?;
    Ok(groups.iter().any(|group| group.inbound.is_empty() && vpc.id() == Some(group.vpc.as_str())))
}

/// What follows once calls are resolved.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// The steps are planned again. EC2 refuses to create most resources twice,
    /// and then the existing one is searched for: only the others need patience.
    Create,
    /// What exists is deleted: all of it has to be known.
    Delete,
}

/// Resolves all calls whose end is in no journal, and records what came of
/// them. `Err`: some could not be; nothing may be created or deleted then.
pub(super) async fn intents(shared: &Shared, next: Next) -> Result<(), Failure> {
    let record = resources::record(shared).await;
    let mut regions: BTreeMap<Region, Vec<(StepId, Intent)>> = BTreeMap::new();
    for (slot, intent) in record.intents() {
        let of_region = regions.entry(intent.region.clone()).or_default();
        of_region.push((slot.clone(), intent.clone()));
    }
    if regions.is_empty() {
        return Ok(());
    }
    resources::open_journal(shared).await?;
    let all =
        regions.iter().map(|(region, intents)| of_region(shared, &record, region, intents, next));
    join_all(all).await.into_iter().collect()
}

async fn of_region(
    shared: &Shared,
    record: &Record,
    region: &Region,
    intents: &[(StepId, Intent)],
    next: Next,
) -> Result<(), Failure> {
    let began = Instant::now();
    let what = format!(
        "what {} may have created, for up to {} s",
        count(intents.len(), "earlier call"),
        SHOW.as_secs()
    );
    let _wait = shared.waits.begin(region, what);
    let mut open: Vec<&(StepId, Intent)> = intents.iter().collect();
    let mut reads = 0;
    loop {
        match tagged(shared, region, record).await {
            Ok(found) => {
                reads += 1;
                let mut rest = Vec::new();
                for one in open {
                    let ids = found.iter().filter(|(of, _)| *of == one.0).map(|(_, id)| id);
                    let ids: Vec<_> = ids.collect();
                    let over = reads >= 3 && is_over(shared, &one.1, began);
                    let needs_patience = next == Next::Delete || !one.1.unique;
                    match ids.as_slice() {
                        [] if over => lapsed(shared, &one.1, &one.0, next).await,
                        [] if needs_patience => rest.push(one),
                        // It stays open: the next attempt to create it finds it.
                        [] => {}
                        all => {
                            for id in all {
                                // Where it can't be written, the next process resolves it again.
                                let _ = resolved(shared, region, &one.0, Some(id)).await;
                            }
                        }
                    }
                }
                open = rest;
            }
            Err(error) if began.elapsed() > READS || is_final(&error) => {
                return Err(unresolved(&open, &error));
            }
            Err(_) => {}
        }
        if open.is_empty() {
            return Ok(());
        }
        sleep(AGAIN).await;
    }
}

/// Whether it is too late for anything to show up. A clock that was set back makes it wait longer.
fn is_over(shared: &Shared, intent: &Intent, began: Instant) -> bool {
    let since = shared.clock.now().duration_since(intent.at);
    let since = Duration::try_from(since).unwrap_or_default();
    began.elapsed() > SHOW || since > OLD && began.elapsed() > LOOK
}

/// Records what `found` shows of calls that may have created it; whether there
/// was any that could be recorded.
pub(super) async fn by_late_tags(shared: &Shared, found: &[Unrecorded]) -> bool {
    if found.is_empty() || resources::open_journal(shared).await.is_err() {
        return false;
    }
    let mut any = false;
    for one in found {
        any |= resolved(shared, &one.region, &one.slot, Some(&one.id)).await.is_ok();
    }
    any
}

/// Records that nothing showed of a call, and reports it.
async fn lapsed(shared: &Shared, intent: &Intent, slot: &StepId, next: Next) {
    // Where it can't be written, the next process resolves it again.
    let _ = resolved(shared, &intent.region, slot, None).await;
    let (region, title) = (&intent.region, &intent.title);
    shared.update(Update::Notice(nothing_shown(region, title, next)));
}

/// What the user should know of a call without an answer of which nothing shows.
pub(super) fn nothing_shown(region: &Region, title: &str, next: Next) -> Failure {
    let message = format!(
        "{region}: a call without an answer may have done this: {title}; EC2 shows nothing of \
         it after {} s",
        SHOW.as_secs()
    );
    Failure::new(message).hint(match next {
        Next::Create => {
            "it is created now; a first one that shows later is listed by `muster fix` and \
             deleted by `muster down --network`"
        }
        Next::Delete => "run `muster down --network` again later to delete what shows until then",
    })
}

async fn resolved(
    shared: &Shared,
    region: &Region,
    slot: &StepId,
    made: Option<&String>,
) -> Result<(), Failure> {
    let (slot, region) = (slot.clone(), region.clone());
    shared.record(Event::ChangeResolved { slot, region, made: made.cloned() }).await
}

/// Records that nothing showed of a call that is made again now.
pub(super) async fn lapsed_and_repeated(
    shared: &Shared,
    region: &Region,
    slot: &StepId,
    change: &Change,
) -> Result<(), Failure> {
    resolved(shared, region, slot, None).await?;
    shared.record(Event::ChangeIntended { slot: slot.clone() }).await?;
    let title = remedy::describe::of_change(change);
    shared.update(Update::Notice(nothing_shown(region, &title, Next::Create)));
    Ok(())
}

/// Names the unresolved calls, so that the user can check them.
fn unresolved(open: &[&(StepId, Intent)], error: &CloudError) -> Failure {
    let what: Vec<_> =
        open.iter().map(|(_, intent)| format!("{}: {}", intent.region, intent.title)).collect();
    let message = format!("it is not known whether this was done: {}; {error}", what.join("; "));
    Failure { code: error.code.clone(), ..Failure::new(message) }
        .hint("nothing was changed, so that nothing is created twice; run the command again")
}

fn is_final(error: &CloudError) -> bool {
    matches!(error.kind, ErrorKind::Denied | ErrorKind::Credentials | ErrorKind::OptIn)
}

/// What carries this project's id and the tag of a step, and is not on record.
async fn tagged(
    shared: &Shared,
    region: &Region,
    record: &Record,
) -> Result<Vec<(StepId, String)>, CloudError> {
    let project = planning::project_id(shared);
    let keys = [tags::REMEDY, tags::PROJECT, tags::PROJECT_ID, tags::CLUSTER];
    let name = shared.project().name.value.clone();
    let ours = |one: &Tagged| match one.tags.get(tags::PROJECT_ID) {
        Some(id) => project.as_ref().is_ok_and(|own| own == id),
        // Versions before set no such tag.
        None => {
            one.tags.get(tags::PROJECT) == Some(&name)
                && one.tags.get(tags::CLUSTER).is_some_and(|id| *id == *shared.cluster.as_str())
        }
    };
    let all = shared.cloud.tagged(region, &keys).await?;
    let new = all.into_iter().filter(|one| ours(one) && !record.knows(&one.id));
    let new = new.filter(|one| !remedy::is_beside(&one.kind));
    let of_step = |one: Tagged| Some((StepId(one.tags.get(tags::REMEDY)?.clone()), one.id));
    Ok(new.filter_map(of_step).collect())
}
