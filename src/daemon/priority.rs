//! Serving goes before taking in: threads that convert and write give way to those that
//! answer readers, wherever both want the processor.

/// Makes the calling thread, and those that it starts, give way. Where that is not
/// allowed, they compete as equals.
pub(super) fn give_way() {
    // Linux sets this for a thread; others would for the whole process.
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, 10) {
        tracing::debug!("the line does not give way to readers: {error}");
    }
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
    fn threads_of_such_a_thread_give_way_and_others_do_not() {
        let mine = || rustix::process::getpriority_process(None).unwrap();
        let before = mine();
        let theirs = giving_way(|| std::thread::spawn(mine).join().unwrap()).unwrap();
        assert_eq!((mine(), theirs), (before, 10.max(before)));
    }
}
