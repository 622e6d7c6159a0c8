/// A test of every point that a transport must hold.
///
/// Takes the path of an async function that makes a fresh [`Relay`](crate::conformance::transport::Relay) with a given
/// [`Fault`](crate::conformance::transport::Fault). The calling crate needs tokio with its macros and the multi-threaded
/// runtime.
#[macro_export]
macro_rules! transport_conformance {
    ($make:path) => {
        $crate::transport_conformance_points! {
            $make:
            delivers_each_mail_once
            connection_cap_holds
            refused_recipient_leaves_the_connection_usable
            refused_message_is_not_sent
            late_permit_is_not_started
            past_dot_by_never_finishes
            eof_after_dot_is_unknown
            eof_before_dot_is_transient
            break_within_a_large_body_is_transient
            closed_kept_connection_is_replaced
            silence_of_a_new_connection_is_bounded
            silence_after_the_dot_is_bounded
            dropped_connect_leaves_nothing_open
        }
    };
}

/// A test for each of the named points.
#[doc(hidden)]
#[macro_export]
macro_rules! transport_conformance_points {
    ($make:path: $($point:ident)+) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $point() {
                let fault = $crate::conformance::transport::fault_of(stringify!($point));
                let relay = $make(fault).await;
                $crate::conformance::transport::$point(&relay).await;
            }
        )+
    };
}
