use mailer_smtp::fuzzing::{NoReply, ReadReply, Replies};
use smtp_proto::response::parser::ResponseReceiver;

/// Most bytes that a reader may keep: the longest reply, and a read behind it.
const MOST_HELD: usize = 200_000;

/// The same bytes give the same replies in whatever pieces they come, and those that another parser reads.
///
/// The first byte of `input` says how large the pieces are.
pub(crate) fn check_replies(input: &[u8]) {
    let Some((&size, bytes)) = input.split_first() else {
        return;
    };
    let whole = read(bytes, usize::MAX);
    assert_eq!(whole, read(bytes, 1));
    assert_eq!(whole, read(bytes, 1 + usize::from(size)));
    for reply in &whole.0 {
        check_reply(reply);
    }
    check_against_another(bytes, &whole.0);
}

/// All replies up to the first that is none, and whether there was one.
fn read(bytes: &[u8], size: usize) -> (Vec<ReadReply>, Result<(), NoReply>) {
    let mut reader = Replies::default();
    let mut replies = Vec::new();
    for piece in bytes.chunks(size) {
        reader.push(piece);
        loop {
            match reader.next_reply() {
                Ok(Some(reply)) => replies.push(reply),
                Ok(None) => break,
                Err(NoReply) => return (replies, Err(NoReply)),
            }
        }
        assert!(reader.held() <= MOST_HELD + piece.len());
    }
    (replies, Ok(()))
}

fn check_reply(reply: &ReadReply) {
    assert!((200..600).contains(&reply.code), "{reply:?}");
    assert!(reply.text.starts_with(&reply.code.to_string()), "{reply:?}");
    assert!(reply.text.chars().count() <= 1_001, "{reply:?}");
    assert!(!reply.text.contains(char::is_control), "{reply:?}");
    if let Some([class, subject, detail]) = reply.enhanced {
        assert_eq!(class, reply.code / 100, "{reply:?}");
        assert!(subject < 1_000 && detail < 1_000, "{reply:?}");
    }
    assert!(
        reply.retry_after.is_none_or(|wait| wait <= 86_400),
        "{reply:?}"
    );
}

/// Replies that both accept are the same ones: they end at the same byte, and have the same codes.
fn check_against_another(bytes: &[u8], replies: &[ReadReply]) {
    // A CR that ends no line is text to one and nothing to the other.
    if bytes
        .windows(2)
        .any(|pair| pair[0] == b'\r' && pair[1] != b'\n')
    {
        return;
    }
    let mut rest = bytes.iter();
    for ours in replies {
        let begin = rest.as_slice();
        let Ok(theirs) = ResponseReceiver::default().parse(&mut rest) else {
            return;
        };
        let lines = &begin[..begin.len() - rest.as_slice().len()];
        assert_eq!(
            theirs.code,
            ours.code,
            "{:?}",
            lines.escape_ascii().to_string()
        );
        let is_one_line = lines.iter().filter(|&&byte| byte == b'\n').count() == 1;
        if let Some(enhanced) = ours.enhanced
            && is_one_line
            && enhanced.iter().all(|part| *part < 100)
            && has_plain_enhanced(lines)
        {
            assert_eq!(theirs.esc.map(u16::from), enhanced, "{ours:?}");
        }
    }
}

/// Whether an enhanced code stands where both look for it: behind one blank, and before another or the line's end.
fn has_plain_enhanced(line: &[u8]) -> bool {
    let behind = line.get(4..).unwrap_or_default();
    let end = behind
        .iter()
        .position(|byte| !byte.is_ascii_digit() && *byte != b'.');
    line.get(3) == Some(&b' ')
        && end.is_some_and(|end| b" \r\n".contains(&behind[end]))
        && end < Some(10)
}
