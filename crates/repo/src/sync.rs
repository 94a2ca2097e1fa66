//! Makes what was written survive a power cut: objects before the ref that names them, files before their folder.

use std::fs::File;
use std::path::Path;

use git2::Oid;

use crate::error::RepoError;

/// Forces loose objects that were just written, and the folders that name them, to disk. Objects that are in a pack
/// already were forced when the pack was made.
pub(crate) fn sync_objects(common_dir: &Path, written: &[Oid]) -> Result<(), RepoError> {
    let objects = common_dir.join("objects");
    let mut folders = std::collections::BTreeSet::new();
    for oid in written {
        let digits = oid.to_string();
        let (folder, file) = digits.split_at_checked(2).unwrap_or((&digits, ""));
        let folder = objects.join(folder);
        let path = folder.join(file);
        match File::open(&path) {
            Ok(file) => file.sync_all().map_err(RepoError::io("force to disk the object", &path))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(RepoError::io::<std::io::Error>("open the object", &path)(error)),
        }
        folders.insert(folder);
    }
    for folder in &folders {
        sync_dir(folder)?;
    }
    if folders.is_empty() { Ok(()) } else { sync_dir(&objects) }
}

/// Forces the names in a folder to disk.
pub(crate) fn sync_dir(folder: &Path) -> Result<(), RepoError> {
    File::open(folder).and_then(|dir| dir.sync_all()).map_err(RepoError::io("force to disk the folder", folder))
}
