//! Which run is meant: its name, the beginning of one, `latest`, or the path of its file.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::record::{RecordRefused, head_of, is_name, names};
use super::{Kind, is_path, path_of};

/// The word for the newest run.
const LATEST: &str = "latest";
/// Names that are told where several begin alike.
const TOLD: usize = 5;

/// A run by the folder and the name of its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The folder.
    pub folder: PathBuf,
    /// The run's name.
    pub name: String,
}

impl Place {
    /// The run of this name in a folder.
    pub fn new(folder: &Path, name: impl Into<String>) -> Self {
        Self { folder: folder.to_owned(), name: name.into() }
    }
}

/// Why no run is meant, or not one alone.
#[derive(Debug, thiserror::Error)]
pub enum NoChoice {
    /// No run matches.
    #[error(transparent)]
    Refused(#[from] RecordRefused),
    /// Several names begin so.
    #[error(
        "{said:?} begins the names of {count} runs: {names}; write more of the one that is meant"
    )]
    Several {
        /// What was said.
        said: String,
        /// How many.
        count: usize,
        /// The first few of them, newest first.
        names: String,
    },
    /// This PBX has none.
    #[error("there is no run of {0} yet but undos: `callsweep runs` lists those there are")]
    NoneYet(String),
    /// The path leads nowhere.
    #[error("{0:?} is not there: check the path")]
    NoFile(PathBuf),
    /// The path leads to no run file.
    #[error(
        "{0:?} is no run file and no backup whose first line can be read: name one as callsweep wrote it"
    )]
    Path(PathBuf),
}

/// True for what asks for the newest run of a PBX.
pub fn is_latest(said: &str) -> bool {
    said == LATEST
}

/// The newest run on a PBX that is no undo.
///
/// # Errors
/// When there is none, or the folder cannot be read.
pub fn latest(runs: &Path, origin: &str) -> Result<Place, NoChoice> {
    let is_ours = |name: &String| {
        let head = head_of(&path_of(runs, name));
        head.is_some_and(|head| head.origin.eq_ignore_ascii_case(origin) && head.kind != Kind::Undo)
    };
    let name = all(runs)?.into_iter().find(is_ours);
    let name = name.ok_or_else(|| NoChoice::NoneYet(origin.to_owned()))?;
    Ok(Place::new(runs, name))
}

/// The run that is meant by a name, the beginning of one, or a path.
///
/// # Errors
/// When it is none, or not one alone.
pub fn find(runs: &Path, said: &str) -> Result<Place, NoChoice> {
    let place = |name: String| Place::new(runs, name);
    // A path has a slash, or the end that no name has.
    if said.contains('/') || Path::new(said).extension().is_some() {
        let place = by_path(Path::new(said))?;
        if is_path(&place.name) {
            return Ok(place);
        }
        // However it is written, the folder of run files is the same.
        let is_here = runs.canonicalize().is_ok_and(|runs| runs == place.folder);
        return Ok(if is_here { Place::new(runs, place.name) } else { place });
    }
    if said.is_empty() || !is_name(said) {
        return Err(RecordRefused::Missing(said.to_owned()).into());
    }
    if fs::symlink_metadata(path_of(runs, said)).is_ok() {
        return Ok(place(said.to_owned()));
    }
    let begin: Vec<String> = all(runs)?.into_iter().filter(|name| name.starts_with(said)).collect();
    match begin.as_slice() {
        [] => {
            let path = Path::new(said);
            backup_at(path).ok_or_else(|| match fs::symlink_metadata(path) {
                Ok(_) => NoChoice::Path(path.to_owned()),
                Err(_) => RecordRefused::Missing(said.to_owned()).into(),
            })
        }
        [name] => Ok(place(name.clone())),
        several => Err(NoChoice::Several {
            said: said.to_owned(),
            count: several.len(),
            names: several.iter().take(TOLD).cloned().collect::<Vec<_>>().join(", "),
        }),
    }
}

/// The backup at a path, whatever it is called: its name is its path.
fn backup_at(path: &Path) -> Option<Place> {
    head_of(path).filter(|head| head.kind == Kind::Backup)?;
    let path = path.canonicalize().ok()?;
    Some(Place::new(path.parent()?, path.to_str()?))
}

fn by_path(path: &Path) -> Result<Place, NoChoice> {
    if let Some(backup) = backup_at(path) {
        return Ok(backup);
    }
    let refused = || match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => NoChoice::NoFile(path.to_owned()),
        Ok(_) | Err(_) => NoChoice::Path(path.to_owned()),
    };
    let file = path.file_name().and_then(|name| name.to_str()).ok_or_else(refused)?;
    let name = file.strip_suffix(".jsonl").filter(|name| is_name(name)).ok_or_else(refused)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let unreadable = |error| RecordRefused::Unreadable(folder.to_owned(), error);
    Ok(Place::new(&folder.canonicalize().map_err(unreadable)?, name))
}

fn all(runs: &Path) -> Result<Vec<String>, RecordRefused> {
    names(runs).map_err(|error| RecordRefused::Unreadable(runs.to_owned(), error))
}
