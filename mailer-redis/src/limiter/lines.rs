//! The lines of a demand, as `limits.lua` reads them.

use chrono::{DateTime, Utc};
use mailer_core::domain::{Lane, Limit, LimitKind, Scope};
use mailer_core::limits::{Allowance, Window, key};

use crate::args::Args;
use crate::micros::Micros;

/// Writes the limits that bind `lane`, each with its place in the demand by which a refusal names it. One that retires
/// counts until then.
///
/// A script finds out by itself in which window an instant lies: it is given those around each of `around`.
pub(crate) fn encode(
    args: &mut Args,
    lines: &[(&Limit, Scope, Option<DateTime<Utc>>)],
    lane: Lane,
    reserved_percent: u8,
    around: &[Micros],
) {
    let binds = |(limit, _, _): &&(&Limit, Scope, _)| limit.lanes().contains(lane);
    args.len(lines.iter().filter(binds).count());
    for (index, line) in lines.iter().enumerate() {
        if binds(&line) {
            let (limit, scope, until) = line;
            let line = Line {
                index,
                limit,
                scope,
                until: *until,
                allowance: Allowance::new(limit, lane, reserved_percent),
            };
            line.write(args, around);
        }
    }
}

/// Writes limits as they are seen by nobody in particular.
pub(super) fn encode_whole(args: &mut Args, limits: &[(Limit, Scope)], around: &[Micros]) {
    args.len(limits.len());
    for (index, (limit, scope)) in limits.iter().enumerate() {
        let line = Line {
            index,
            limit,
            scope,
            until: None,
            allowance: Allowance::whole(limit),
        };
        line.write(args, around);
    }
}

struct Line<'a> {
    index: usize,
    limit: &'a Limit,
    scope: &'a Scope,
    until: Option<DateTime<Utc>>,
    allowance: Allowance,
}

impl Line<'_> {
    fn write(&self, args: &mut Args, around: &[Micros]) {
        let kind = self.limit.kind();
        let code = match kind {
            LimitKind::Calendar { .. } => "c",
            LimitKind::Rolling { .. } => "r",
            LimitKind::Pace { .. } => "p",
        };
        args.text(code)
            .len(self.index)
            .int(self.allowance.own())
            .int(self.allowance.cap())
            .int(self.until.map_or(0, |until| Micros::from(until).get()))
            .text(self.scope.to_string())
            .text(kind.reason_code(self.limit.cap()));
        match kind {
            LimitKind::Calendar { unit, zone } => {
                let windows = windows(around, |at| Window::of(*unit, zone, at));
                self.write_windows(args, &windows);
            }
            LimitKind::Rolling { window } => self.write_length(args, window.as_micros()),
            LimitKind::Pace { per } => self.write_length(args, per.length().as_micros()),
        }
    }

    fn write_windows(&self, args: &mut Args, windows: &[Window]) {
        args.len(windows.len());
        for window in windows {
            args.at(window.start)
                .at(window.end)
                .text(key(self.limit, self.scope, window.start));
        }
    }

    fn write_length(&self, args: &mut Args, length: u128) {
        // The name does not change with time.
        args.text(key(self.limit, self.scope, Micros::new(0)))
            .text(length.to_string());
    }
}

/// The windows around the instants, in order: of each its own, and a neighbour that is near.
///
/// A clock that steps further, or a refusal that looks ahead, asks for what else it needs.
fn windows(around: &[Micros], of: impl Fn(Micros) -> Window) -> Vec<Window> {
    let mut windows: Vec<Window> = Vec::with_capacity(3 * around.len());
    for &at in around {
        let present = of(at);
        windows.push(present);
        if at - present.start < NEAR {
            windows.push(of(present.start + -1));
        }
        if present.end - at < NEAR {
            windows.push(of(present.end));
        }
    }
    windows.sort_unstable_by_key(|window| window.start);
    windows.dedup();
    windows
}

/// How far a clock may go until the next call without being asked about.
const NEAR: i64 = 5_000_000;

#[cfg(test)]
mod tests {
    use mailer_core::domain::Unit;

    use super::*;

    fn micros(at: &str) -> Micros {
        at.parse::<DateTime<Utc>>().unwrap().into()
    }

    fn texts(args: &Args) -> Vec<String> {
        let text = |part: &[u8]| String::from_utf8(part.to_vec()).unwrap();
        args.parts().map(text).collect()
    }

    #[test]
    fn windows_are_said_once_and_neighbours_where_they_are_near() {
        let hour = |at| Window::of(Unit::Hour, &"UTC".parse().unwrap(), at);
        let around = [
            micros("2026-11-24T10:59:59Z"),
            micros("2026-11-24T09:30:00Z"),
        ];
        let starts: Vec<String> = windows(&around, hour)
            .iter()
            .map(|window| DateTime::<Utc>::from(window.start).format("%H").to_string())
            .collect();
        assert_eq!(starts, ["09", "10", "11"]);
    }

    #[test]
    fn lines_that_do_not_bind_the_lane_are_passed_over_and_the_others_keep_their_place() {
        let limits: [Limit; 2] = [
            "9/hour lanes test".parse().unwrap(),
            "10/60s rolling".parse().unwrap(),
        ];
        let lines: Vec<_> = limits
            .iter()
            .map(|limit| (limit, Scope::Namespace, None))
            .collect();
        let mut args = Args::new();
        encode(&mut args, &lines, Lane::Bulk, 25, &[Micros::new(0)]);
        assert_eq!(
            texts(&args),
            [
                "1",
                "r",
                "1",
                "8",
                "10",
                "0",
                "namespace",
                "rate_rolling",
                "rate:rolling:60s",
                "60000000"
            ]
        );
    }
}
