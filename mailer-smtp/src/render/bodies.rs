use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use mailer_core::domain::Body;

use super::body::{Encoded, encode};

/// How many bodies are remembered: a worker sends a few campaigns at a time, each with a few variants.
const REMEMBERED: usize = 16;

/// Encoded bodies, shared by the sessions of a transport: mails that share one [`Body`] share its encoded form.
#[derive(Default)]
pub(crate) struct Bodies {
    known: Mutex<Vec<Known>>,
}

/// A body in its wire form.
#[derive(Clone)]
pub(crate) struct EncodedBody {
    bytes: Arc<OnceLock<Encoded>>,
    of: Weak<Body>,
}

type Known = EncodedBody;

impl Bodies {
    /// The encoded form of `body`; a body that nobody shares is encoded and not remembered.
    pub(crate) fn encoded(&self, body: &Arc<Body>) -> EncodedBody {
        let found = if Arc::strong_count(body) > 1 {
            self.find_or_remember(body)
        } else {
            EncodedBody::new(body)
        };
        // Outside the lock: encoding a large body must not stop the other sessions.
        found.bytes.get_or_init(|| encode(body));
        found
    }

    fn find_or_remember(&self, body: &Arc<Body>) -> EncodedBody {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(index) = known.iter().position(|known| known.is_of(body)) {
            return known[index].clone();
        }
        known.retain(|known| known.of.strong_count() > 0);
        if known.len() >= REMEMBERED {
            known.remove(0);
        }
        let new = EncodedBody::new(body);
        known.push(new.clone());
        new
    }
}

impl EncodedBody {
    fn new(body: &Arc<Body>) -> Self {
        Self {
            bytes: Arc::default(),
            of: Arc::downgrade(body),
        }
    }

    /// Whether it was made of this very body. The weak reference keeps the address from being given to another.
    pub(crate) fn is_of(&self, body: &Arc<Body>) -> bool {
        std::ptr::eq(self.of.as_ptr(), Arc::as_ptr(body))
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        let encoded = self.bytes.get();
        encoded
            .map(|encoded| encoded.wire.as_slice())
            .unwrap_or_default()
    }

    /// Its octets as RFC 1870 section 6 counts them: without doubled dots and without the final one.
    pub(crate) fn size(&self) -> usize {
        self.bytes.get().map_or(0, |encoded| encoded.size)
    }
}

impl fmt::Debug for Bodies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bodies").finish_non_exhaustive()
    }
}

impl fmt::Debug for EncodedBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EncodedBody({} bytes)", self.bytes().len())
    }
}
