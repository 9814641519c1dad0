//! How a list ended, and so whether it can be all that the service has.

/// How the pages of a list ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListEnd {
    /// An empty page came after the last row.
    Seen,
    /// There are as many rows as the service announced, on more than one page.
    Told,
    /// Only a page past the last row would tell, and the service refuses one.
    Untold,
    /// Rows came or went between the pages.
    Moved,
    /// The service announces more rows than came.
    Short,
    /// The service hands out the same rows whatever page is asked for.
    Same,
    /// There may be more than the service hands out in one list.
    Limit,
    /// There is more than this program reads.
    Large,
    /// The list is empty, and its user is not known to reach the extension.
    Unproven,
}

impl ListEnd {
    /// Why the list may not be all that the service has; `None` where it is, as far as reading goes.
    pub fn why_not_whole(self) -> Option<&'static str> {
        match self {
            Self::Seen | Self::Told => None,
            Self::Untold => Some("the PBX does not tell where a list ends"),
            Self::Moved => Some("the list changed while it was read"),
            Self::Short => Some("the PBX announces more rows than it hands out"),
            Self::Same => Some("the PBX returns the same rows for every page"),
            Self::Limit => Some("the PBX has more rows than it hands out in one list"),
            Self::Large => Some("the list is longer than callsweep reads"),
            Self::Unproven => Some("empty?: no list read as this user has shown an event yet"),
        }
    }

    /// Whether the next reading may find what this one missed.
    pub fn may_be_better(self) -> bool {
        matches!(self, Self::Moved | Self::Short)
    }

    /// Whether nothing speaks for rows that did not come, though that is not certain.
    pub fn is_all_there_is_to_see(self) -> bool {
        self.is_whole() || self == Self::Untold
    }

    /// Whether nothing is missing, as far as reading goes.
    pub fn is_whole(self) -> bool {
        self.why_not_whole().is_none()
    }
}

/// A list that was seen to its end, or one of which rows are missing.
impl From<bool> for ListEnd {
    fn from(seen: bool) -> Self {
        if seen { Self::Seen } else { Self::Short }
    }
}
