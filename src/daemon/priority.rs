//! Serving goes before taking in: threads that convert and write give way to those that
//! answer readers, wherever both want the processor, and leave them a core.

#[cfg(target_os = "linux")]
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Makes the calling thread, and those that it starts, give way. Where that is not
/// allowed, they compete as equals.
pub(super) fn give_way() {
    // Linux sets this for a thread; others would for the whole process.
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, 10) {
        tracing::debug!("the line does not give way to readers: {error}");
    }
}

/// Keeps the calling thread, and those that it starts, off one core, where there are
/// several: a system that does not preempt lets a reader who comes wait for whoever
/// runs, for milliseconds and however low its priority is.
pub(super) fn leave_a_core() {
    #[cfg(target_os = "linux")]
    if let Err(error) = keep_off_one() {
        tracing::debug!("the line leaves no core to readers: {error}");
    }
}

#[cfg(target_os = "linux")]
fn keep_off_one() -> rustix::io::Result<()> {
    let mut cores = sched_getaffinity(None)?;
    if cores.count() > 1 {
        let first = (0..CpuSet::MAX_CPU).find(|it| cores.is_set(*it));
        cores.unset(first.unwrap_or_default());
        sched_setaffinity(None, &cores)?;
    }
    Ok(())
}

/// Does `work` on a thread that gives way, and waits for it.
pub(super) fn giving_way<T: Send>(work: impl FnOnce() -> T + Send) -> std::thread::Result<T> {
    std::thread::scope(|scope| {
        let work = || {
            give_way();
            work()
        };
        scope.spawn(work).join()
    })
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_core_is_left_where_there_are_several() {
        let mine = || sched_getaffinity(None).unwrap().count();
        let before = mine();
        let of_thread = || {
            leave_a_core();
            std::thread::scope(|scope| scope.spawn(mine).join().unwrap())
        };
        let theirs = std::thread::scope(|scope| scope.spawn(of_thread).join().unwrap());
        assert_eq!((mine(), theirs), (before, before.saturating_sub(1).max(1)));
    }

    #[test]
    fn threads_of_such_a_thread_give_way_and_others_do_not() {
        let mine = || rustix::process::getpriority_process(None).unwrap();
        let before = mine();
        let theirs = giving_way(|| std::thread::spawn(mine).join().unwrap()).unwrap();
        assert_eq!((mine(), theirs), (before, 10.max(before)));
    }
}
