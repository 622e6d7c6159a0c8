//! The states of one recipient's mail.

use std::fmt;

/// Where one recipient's mail stands. One byte in the ledger.
///
/// ```
/// use mailer_core::schedule::{DeliveryEvent, DeliveryState};
///
/// let started = DeliveryState::Pending.on(DeliveryEvent::Start)?;
/// assert_eq!(started.on(DeliveryEvent::Send)?, DeliveryState::Sent);
/// assert!(DeliveryState::Sent.on(DeliveryEvent::Start).is_err());
/// # Ok::<(), mailer_core::schedule::IllegalStep>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[repr(u8)]
#[expect(clippy::exhaustive_enums, reason = "stores match every state")]
pub enum DeliveryState {
    /// It waits for its first attempt, or again for it.
    #[default]
    Pending,
    /// The gate has let it begin.
    Started,
    /// The relay has taken it.
    Sent,
    /// It is given up.
    Failed,
    /// It is tried again at a later instant.
    Retry,
    /// Nobody knows whether it was sent.
    Unknown,
    /// The composer wanted no mail for this recipient.
    Skipped,
    /// The address is suppressed.
    Suppressed,
    /// Its time was over before it began.
    Expired,
    /// Its campaign was cancelled before it began.
    Cancelled,
}

/// What happens to a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the transition function matches every event"
)]
pub enum DeliveryEvent {
    /// The gate lets it begin.
    Start,
    /// The relay takes it.
    Send,
    /// It is given up.
    Fail,
    /// The relay refuses it for now.
    Refuse,
    /// It did not reach `MAIL FROM`, or the relay had trouble of its own.
    Return,
    /// The dot may have left, and no reply was read.
    Lose,
    /// The rule for unknown mails is to send again.
    Resend,
    /// The composer wants no mail.
    Skip,
    /// The address is suppressed.
    Suppress,
    /// Its time is over.
    Expire,
    /// Its campaign is cancelled.
    Cancel,
}

/// A step that no delivery takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a delivery that is {state} cannot {event}")]
#[expect(clippy::exhaustive_structs, reason = "tests build it")]
pub struct IllegalStep {
    /// Where it stood.
    pub state: DeliveryState,
    /// What was to happen.
    pub event: DeliveryEvent,
}

impl DeliveryState {
    /// Every state.
    pub const ALL: [Self; 10] = [
        Self::Pending,
        Self::Started,
        Self::Sent,
        Self::Failed,
        Self::Retry,
        Self::Unknown,
        Self::Skipped,
        Self::Suppressed,
        Self::Expired,
        Self::Cancelled,
    ];

    /// The state that follows.
    ///
    /// # Errors
    /// If no delivery takes this step.
    pub const fn on(self, event: DeliveryEvent) -> Result<Self, IllegalStep> {
        use DeliveryEvent as E;
        let illegal = Err(IllegalStep { state: self, event });
        match self {
            Self::Pending | Self::Retry => match event {
                E::Start => Ok(Self::Started),
                E::Skip => Ok(Self::Skipped),
                E::Suppress => Ok(Self::Suppressed),
                E::Expire => Ok(Self::Expired),
                E::Cancel => Ok(Self::Cancelled),
                E::Fail => Ok(Self::Failed),
                // Late evidence about the attempt that a retry repeats.
                E::Send => match self {
                    Self::Retry => Ok(Self::Sent),
                    Self::Pending
                    | Self::Started
                    | Self::Sent
                    | Self::Failed
                    | Self::Unknown
                    | Self::Skipped
                    | Self::Suppressed
                    | Self::Expired
                    | Self::Cancelled => illegal,
                },
                E::Refuse | E::Return | E::Lose | E::Resend => illegal,
            },
            Self::Started => match event {
                E::Send => Ok(Self::Sent),
                E::Fail => Ok(Self::Failed),
                E::Refuse => Ok(Self::Retry),
                E::Return => Ok(Self::Pending),
                E::Lose => Ok(Self::Unknown),
                E::Start | E::Resend | E::Skip | E::Suppress | E::Expire | E::Cancel => illegal,
            },
            Self::Unknown => match event {
                E::Send => Ok(Self::Sent),
                E::Fail => Ok(Self::Failed),
                E::Resend => Ok(Self::Retry),
                E::Start
                | E::Refuse
                | E::Return
                | E::Lose
                | E::Skip
                | E::Suppress
                | E::Expire
                | E::Cancel => illegal,
            },
            Self::Sent
            | Self::Failed
            | Self::Skipped
            | Self::Suppressed
            | Self::Expired
            | Self::Cancelled => illegal,
        }
    }

    /// The name, as stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Started => "started",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Retry => "retry",
            Self::Unknown => "unknown",
            Self::Skipped => "skipped",
            Self::Suppressed => "suppressed",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether a worker may take it in hand.
    #[must_use]
    pub const fn is_waiting(self) -> bool {
        matches!(self, Self::Pending | Self::Retry)
    }

    /// Whether its fate is decided, as far as it can be.
    #[must_use]
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Pending | Self::Retry | Self::Started)
    }
}

impl DeliveryEvent {
    /// Every event.
    pub const ALL: [Self; 11] = [
        Self::Start,
        Self::Send,
        Self::Fail,
        Self::Refuse,
        Self::Return,
        Self::Lose,
        Self::Resend,
        Self::Skip,
        Self::Suppress,
        Self::Expire,
        Self::Cancel,
    ];

    /// The name, as in the state diagram.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Send => "send",
            Self::Fail => "fail",
            Self::Refuse => "refuse",
            Self::Return => "return",
            Self::Lose => "lose",
            Self::Resend => "resend",
            Self::Skip => "skip",
            Self::Suppress => "suppress",
            Self::Expire => "expire",
            Self::Cancel => "cancel",
        }
    }
}

impl fmt::Display for DeliveryState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for DeliveryEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
