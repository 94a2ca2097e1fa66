//! The database of advisories: a person's copy of it on this machine, read once when a review first needs it. What the
//! files say is the review's to judge; here is only where they lie.

use std::fs::{DirEntry, File, ReadDir};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use kaizen_patch::{Advisories, Advisory};
use kaizen_settings::SecuritySettings;
use thiserror::Error;

/// The folder with a folder for each package.
const PACKAGES: &str = "crates";
/// More files than this are no database of advisories. The real one has about a thousand.
const MOST_FILES: usize = 50_000;

/// The database that the settings name, or none.
#[derive(Debug, Default)]
pub struct AdvisoryDatabase {
    at: Option<PathBuf>,
    read: Mutex<Option<Arc<Advisories>>>,
}

/// What was read of a database.
#[derive(Debug, Default)]
pub struct Contents {
    /// The advisories.
    pub advisories: Advisories,
    /// Files that could not be read as one, each with the reason.
    pub left_out: Vec<String>,
}

/// Why there is no database to read.
#[derive(Debug, Error)]
pub enum AdvisoriesError {
    /// Nothing like it is there.
    #[error("there are no advisories at {} (`security.advisories`): no file crates/*/RUSTSEC-*.md", path.display())]
    NotThere {
        /// Where was looked.
        path: PathBuf,
    },
    /// It cannot be read.
    #[error("the advisories at {} (`security.advisories`) cannot be read", path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// It is something else.
    #[error("more than {} files are at {} (`security.advisories`)", MOST_FILES, path.display())]
    TooMany {
        /// Where was looked.
        path: PathBuf,
    },
}

impl AdvisoryDatabase {
    /// The database that the settings name. Only whether it is there is looked at.
    ///
    /// # Errors
    /// When the settings name one that is not there.
    pub fn of(settings: &SecuritySettings) -> Result<Self, AdvisoriesError> {
        if settings.advisories.is_empty() {
            return Ok(Self::default());
        }
        let at = PathBuf::from(&settings.advisories);
        let mut found = false;
        each(&at, |_| {
            found = true;
            false
        })?;
        if !found {
            return Err(AdvisoriesError::NotThere { path: at });
        }
        Ok(Self { at: Some(at), read: Mutex::default() })
    }

    /// What is in it: read at the first call, and the same at every other. Nothing, when the settings name none.
    ///
    /// # Errors
    /// When it cannot be read, or holds nothing that can.
    pub fn advisories(&self) -> Result<Arc<Advisories>, AdvisoriesError> {
        let Some(at) = &self.at else { return Ok(Arc::default()) };
        let mut known = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.as_ref() {
            return Ok(Arc::clone(known));
        }
        let contents = read(at)?;
        for what in &contents.left_out {
            tracing::warn!(what, "an advisory is left out");
        }
        let read = Arc::new(contents.advisories);
        *known = Some(Arc::clone(&read));
        Ok(read)
    }
}

/// Reads a whole database. A file that is no advisory is left out and named.
///
/// # Errors
/// When it is not there or cannot be read, or holds no advisory at all.
pub fn read(at: &Path) -> Result<Contents, AdvisoriesError> {
    let mut contents = Contents::default();
    each(at, |file| {
        match advisory(file) {
            Ok(advisory) => contents.advisories.add(advisory),
            Err(why) => {
                let name = file.strip_prefix(at).unwrap_or(file);
                contents.left_out.push(format!("{}: {why}", name.display()));
            }
        }
        true
    })?;
    contents.left_out.sort();
    if contents.advisories.is_empty() {
        return Err(AdvisoriesError::NotThere { path: at.to_owned() });
    }
    Ok(contents)
}

/// Calls for each file that has the name of an advisory, as long as the call says to go on. Links are not followed below
/// the top, so that nothing but files of the database is opened.
fn each(at: &Path, mut call: impl FnMut(&Path) -> bool) -> Result<(), AdvisoriesError> {
    let (mut seen, packages) = (0_usize, at.join(PACKAGES));
    let folders = match std::fs::read_dir(&packages) {
        Ok(folders) => folders,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Err(AdvisoriesError::NotThere { path: at.to_owned() });
        }
        Err(source) => return Err(AdvisoriesError::Unreadable { path: packages, source }),
    };
    for folder in entries(folders, &packages) {
        let folder = folder?;
        if !folder.file_type().is_ok_and(|kind| kind.is_dir()) {
            continue;
        }
        let folder = folder.path();
        let files = std::fs::read_dir(&folder)
            .map_err(|source| AdvisoriesError::Unreadable { path: folder.clone(), source })?;
        for file in entries(files, &folder) {
            let file = file?;
            seen += 1;
            if seen > MOST_FILES {
                return Err(AdvisoriesError::TooMany { path: at.to_owned() });
            }
            let name = file.file_name();
            let named = name.to_str().is_some_and(|name| name.starts_with("RUSTSEC-") && name.ends_with(".md"));
            if named && !call(&file.path()) {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// The entries of a folder, each with an error that says whose it is.
fn entries(folder: ReadDir, path: &Path) -> impl Iterator<Item = Result<DirEntry, AdvisoriesError>> {
    folder.map(move |entry| entry.map_err(|source| AdvisoriesError::Unreadable { path: path.to_owned(), source }))
}

/// The advisory in a file, or why there is none.
fn advisory(path: &Path) -> Result<Advisory, String> {
    let said = |error: io::Error| error.to_string();
    // A pipe would never end, and a link may lead anywhere.
    if !std::fs::symlink_metadata(path).map_err(said)?.is_file() {
        return Err("is no regular file".to_owned());
    }
    let most = u64::try_from(Advisory::MOST_BYTES).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    File::open(path).map_err(said)?.take(most.saturating_add(1)).read_to_end(&mut bytes).map_err(said)?;
    let text = String::from_utf8(bytes).map_err(|_| "is not UTF-8".to_owned())?;
    Advisory::parse(&text).map_err(|fault| fault.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advisory_text(id: &str, package: &str) -> String {
        format!(
            "```toml\n[advisory]\nid = \"{id}\"\npackage = \"{package}\"\ndate = \"2020-11-18\"\n\n[versions]\n\
             patched = [\">= 0.2.23\"]\n```\n\n# Potential segfault\n"
        )
    }

    fn database(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (file, text) in files {
            let path = dir.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        dir
    }

    fn settings(at: &Path) -> SecuritySettings {
        SecuritySettings { advisories: at.display().to_string(), ..kaizen_settings::Settings::default().security }
    }

    #[test]
    fn a_database_is_read_once_and_what_is_broken_in_it_is_named() {
        let time = advisory_text("RUSTSEC-2020-0071", "time");
        let large = format!("{time}{}", " ".repeat(Advisory::MOST_BYTES));
        let dir = database(&[
            ("README.md", "# Advisories\n"),
            ("crates/time/RUSTSEC-2020-0071.md", &time),
            ("crates/time/README.md", "not one\n"),
            ("crates/broken/RUSTSEC-2021-0001.md", "no block\n"),
            ("crates/large/RUSTSEC-2021-0002.md", &large),
            ("crates/odd.md", "not one\n"),
            ("rust/std/CVE-2018-1000810.md", "not looked at\n"),
        ]);
        std::os::unix::fs::symlink("/dev/zero", dir.path().join("crates/time/RUSTSEC-2021-0003.md")).unwrap();
        std::fs::create_dir_all(dir.path().join("crates/empty")).unwrap();
        let contents = read(dir.path()).unwrap();
        assert_eq!((contents.advisories.len(), contents.left_out.len()), (1, 3), "{:?}", contents.left_out);
        assert_eq!(
            contents.left_out,
            [
                "crates/broken/RUSTSEC-2021-0001.md: does not begin with a block fenced by ```toml",
                "crates/large/RUSTSEC-2021-0002.md: has 262145 bytes, 262144 are allowed",
                "crates/time/RUSTSEC-2021-0003.md: is no regular file",
            ]
        );
        let database = AdvisoryDatabase::of(&settings(dir.path())).unwrap();
        assert_eq!(database.advisories().unwrap().about("time", "0.2.22").count(), 1);
        drop(dir);
        assert_eq!(database.advisories().unwrap().len(), 1, "it is read once");
    }

    #[test]
    fn what_is_no_database_is_said_at_once() {
        let none = AdvisoryDatabase::of(&kaizen_settings::Settings::default().security).unwrap();
        assert!(none.advisories().unwrap().is_empty());
        let dir = database(&[("crates/a/src/lib.rs", "//! A.\n"), ("file", "")]);
        for at in ["", "nowhere", "file"] {
            let error = AdvisoryDatabase::of(&settings(&dir.path().join(at))).unwrap_err();
            assert!(error.to_string().contains("there are no advisories at "), "{at}: {error}");
        }
        let dir = database(&[("crates/a/RUSTSEC-2021-0001.md", "broken\n")]);
        assert!(
            AdvisoryDatabase::of(&settings(dir.path())).unwrap().advisories().is_err(),
            "nothing in it can be read"
        );
    }
}
