//! A named test for every point.

/// Every point of every contract, in a module for each trait.
///
/// Takes the path of an async function that makes a fresh [`Harness`](crate::conformance::Harness). The calling crate
/// needs tokio with its macros.
#[macro_export]
macro_rules! store_conformance {
    ($make:path) => {
        mod rate_limiter {
            use super::*;
            $crate::rate_limiter_conformance!($make);
        }
        mod policy {
            use super::*;
            $crate::policy_conformance!($make);
        }
        mod intake {
            use super::*;
            $crate::intake_conformance!($make);
        }
        mod defer_queue {
            use super::*;
            $crate::defer_queue_conformance!($make);
        }
        mod ledger {
            use super::*;
            $crate::ledger_conformance!($make);
        }
        mod gate {
            use super::*;
            $crate::gate_conformance!($make);
        }
    };
}

/// A test for each of the named points of one module.
#[doc(hidden)]
#[macro_export]
macro_rules! conformance_points {
    ($suite:ident, $make:path: $($point:ident)+) => {
        $(
            #[tokio::test]
            async fn $point() {
                $crate::conformance::$suite::$point(&$make().await).await;
            }
        )+
    };
}
