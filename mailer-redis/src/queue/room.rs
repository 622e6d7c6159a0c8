use mailer_core::domain::Lane;
use mailer_core::queue::Room;

use crate::args::Args;

/// Writes what `serving.lua` reads.
pub(super) fn encode(args: &mut Args, room: &Room) {
    args.len(room.relays.len());
    for (relay, lanes) in &room.relays {
        let lanes: Vec<&str> = lanes.iter().map(Lane::as_str).collect();
        args.text(relay.as_str()).text(lanes.join(" "));
    }
    args.len(room.composers.len());
    for composer in &room.composers {
        args.text(composer);
    }
    args.len(room.except.len());
    for stream in &room.except {
        args.text(stream.as_str());
    }
}
