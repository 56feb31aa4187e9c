//! Work on many files at once: each processor takes a run of them, and what
//! comes of it is in the order of the files.

use std::{num::NonZero, panic, thread};

/// What is less work than this in all, in bytes of text, is done before a
/// thread has started.
const LITTLE: usize = 64 * 1024;

/// `work` on runs of `items`, one run for each processor; `size` is the bytes
/// of an item. A panic in `work` goes on in the caller.
pub(super) fn side_by_side<T: Send, R: Send>(
    items: Vec<T>,
    size: impl Fn(&T) -> usize,
    work: impl Fn(Vec<T>) -> R + Sync,
) -> Vec<R> {
    let total: usize = items.iter().map(&size).sum();
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    let count = if total < LITTLE { 1 } else { processors.min(items.len()) };
    let mut runs = runs(items, size, total.div_ceil(count.max(1)));
    let Some(last) = runs.pop() else { return Vec::new() };
    thread::scope(|scope| {
        let work = &work;
        let others: Vec<_> = runs.into_iter().map(|run| scope.spawn(move || work(run))).collect();
        let last = work(last);
        let joined = others.into_iter().map(|other| match other.join() {
            Ok(result) => result,
            Err(panicked) => panic::resume_unwind(panicked),
        });
        joined.chain([last]).collect()
    })
}

/// `items` in runs of about `enough` bytes each, in order.
fn runs<T>(items: Vec<T>, size: impl Fn(&T) -> usize, enough: usize) -> Vec<Vec<T>> {
    let (mut runs, mut run, mut held) = (Vec::new(), Vec::new(), 0);
    for item in items {
        held += size(&item);
        run.push(item);
        if held >= enough {
            runs.push(std::mem::take(&mut run));
            held = 0;
        }
    }
    if !run.is_empty() {
        runs.push(run);
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_in_the_order_of_the_items_however_many_work() {
        for sizes in [vec![], vec![1], vec![LITTLE; 9], vec![1, 10 * LITTLE, 1, 1, 5 * LITTLE]] {
            let items: Vec<(usize, usize)> = sizes.into_iter().enumerate().collect();
            let done = side_by_side(items.clone(), |item| item.1, |run| run);
            assert!(done.iter().all(|run| !run.is_empty()));
            assert_eq!(done.into_iter().flatten().collect::<Vec<_>>(), items);
        }
    }

    #[test]
    fn runs_hold_about_as_much() {
        let sizes = |enough| -> Vec<usize> {
            runs(vec![4, 4, 4, 4, 4], |size| *size, enough).iter().map(Vec::len).collect()
        };
        assert_eq!(sizes(20), [5]);
        assert_eq!(sizes(10), [3, 2]);
        assert_eq!(sizes(1), [1; 5]);
    }
}
