//! Work on all cores. The only threads of seatrial are here.

use std::num::NonZero;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

/// How many threads to use.
pub(in crate::cli) fn threads(wanted: Option<usize>) -> usize {
    wanted.unwrap_or_else(|| thread::available_parallelism().map_or(1, NonZero::get)).max(1)
}

/// Does jobs `0..count`, several at a time. Results come to `done` as they
/// are finished, with the job's number. No new job begins once `stop` is set.
pub(in crate::cli) fn work<R: Send>(
    threads: usize,
    count: usize,
    stop: &AtomicBool,
    job: impl Fn(usize) -> R + Sync,
    mut done: impl FnMut(usize, R),
) {
    let next = AtomicUsize::new(0);
    let (send, results) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..threads.min(count) {
            let (send, job, next) = (send.clone(), &job, &next);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= count || send.send((index, job(index))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(send);
        for (index, result) in results {
            done(index, result);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_job_is_done_once() {
        for threads in [1, 2, 7] {
            let mut results = vec![0; 50];
            work(threads, 50, &AtomicBool::new(false), |i| i * i, |i, square| results[i] += square);
            assert_eq!(results, (0..50).map(|i| i * i).collect::<Vec<_>>());
        }
    }

    #[test]
    fn nothing_begins_after_a_stop() {
        let stop = AtomicBool::new(false);
        let mut finished = 0;
        let job = |i| stop.fetch_or(i == 3, Ordering::Relaxed);
        work(1, 50, &stop, job, |_, _| finished += 1);
        assert_eq!(finished, 4);
    }
}
