/// After how many bytes of one direction a connection is over, and how: by a goodbye (FIN) to both ends, if not told
/// otherwise; what they still say is lost.
///
/// ```
/// use testkit::Cut;
///
/// let in_the_middle_of_a_command = Cut::from_client(30);
/// let instead_of_the_second_half_of_a_reply = Cut::from_server(12).by_reset();
/// # drop((in_the_middle_of_a_command, instead_of_the_second_half_of_a_reply));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct Cut {
    pub(super) way: Way,
    pub(super) after: usize,
    pub(super) ending: Ending,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    Goodbye,
    Reset,
    Silence,
}

/// A direction of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    ToServer,
    ToClient,
}

impl Cut {
    /// As soon as the server was given exactly this many bytes of the client.
    pub fn from_client(bytes: usize) -> Self {
        Self::new(Way::ToServer, bytes)
    }

    /// As soon as the client was given exactly this many bytes of the server.
    pub fn from_server(bytes: usize) -> Self {
        Self::new(Way::ToClient, bytes)
    }

    /// Both ends see a reset.
    pub fn by_reset(self) -> Self {
        Self {
            ending: Ending::Reset,
            ..self
        }
    }

    /// Neither end hears any more of the other until the client gives up and closes.
    pub fn by_silence(self) -> Self {
        Self {
            ending: Ending::Silence,
            ..self
        }
    }

    fn new(way: Way, after: usize) -> Self {
        Self {
            way,
            after,
            ending: Ending::Goodbye,
        }
    }
}
