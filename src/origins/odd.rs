//! What a file of ours never is: a link, a pipe, somebody else's. Such a thing is named and left
//! alone.

use std::fmt;
use std::fs::Metadata;
use std::os::unix::fs::{FileTypeExt, MetadataExt};

use rustix::fs::OFlags;

/// Why a file is not touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Odd {
    /// A symbolic link.
    Link,
    /// A file that has a second name (hard link).
    SecondName,
    /// A pipe: opening it may wait for ever.
    Pipe,
    /// A folder.
    Folder,
    /// A socket or a device.
    Device,
    /// A file that this program did not write.
    Stray,
    /// The beginning of a plan whose writer ended before it was whole.
    Half,
    /// Another user owns it.
    Foreign(u32),
    /// A file larger than anything that this program writes.
    Huge,
}

/// More than a run of a million events takes, in bytes: reading more holds everything up.
const LARGEST: u64 = 4 * 1024 * 1024 * 1024;

impl fmt::Display for Odd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Link => f.write_str("is a link: remove it"),
            Self::SecondName => f.write_str("has a second name: remove it"),
            Self::Pipe => f.write_str("is a pipe: remove it"),
            Self::Folder => f.write_str("is a folder: remove it"),
            Self::Device => f.write_str("is a socket or a device: remove it"),
            Self::Stray => f.write_str("is no run file: move it elsewhere"),
            Self::Half => f.write_str("is half a plan, of which nothing was sent: remove it"),
            Self::Huge => f.write_str("is larger than 4 GiB, as no run is: move it elsewhere"),
            Self::Foreign(owner) => {
                write!(f, "belongs to another user (uid {owner}): have it removed, or take it over")
            }
        }
    }
}

/// How a file is opened that may be something else: a link is not followed, and nothing waits.
pub(crate) fn flags() -> i32 {
    i32::try_from((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits()).unwrap_or_default()
}

/// How a file is opened that others may name, where links are followed: nothing waits, and nothing
/// becomes the terminal of this program.
pub(crate) fn at_once() -> i32 {
    i32::try_from((OFlags::NONBLOCK | OFlags::NOCTTY).bits()).unwrap_or_default()
}

/// Checks that it is a plain file of this user.
///
/// # Errors
/// Says what it is instead.
pub(crate) fn check(data: &Metadata) -> Result<(), Odd> {
    let kind = data.file_type();
    Err(if kind.is_symlink() {
        Odd::Link
    } else if kind.is_dir() {
        Odd::Folder
    } else if kind.is_fifo() {
        Odd::Pipe
    } else if !kind.is_file() {
        Odd::Device
    } else if data.uid() != rustix::process::geteuid().as_raw() {
        Odd::Foreign(data.uid())
    } else if data.len() > LARGEST {
        Odd::Huge
    } else {
        return Ok(());
    })
}
