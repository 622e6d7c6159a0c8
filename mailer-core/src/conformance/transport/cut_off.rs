use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

/// The output of a future that is polled at most `most` times; none: it was dropped when it woke up for one more.
///
/// Dropping at every count drops a future at every await point at which it waits, as a task that is aborted does.
pub async fn polled_at_most<F: Future>(most: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = most;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        future.as_mut().poll(context).map(Some)
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::polled_at_most;

    #[tokio::test]
    async fn a_future_ends_or_is_dropped() {
        let waits_twice = || async {
            tokio::task::yield_now().await;
            tokio::task::yield_now().await;
            "over"
        };
        assert_eq!(polled_at_most(2, waits_twice()).await, None);
        assert_eq!(polled_at_most(3, waits_twice()).await, Some("over"));
    }
}
