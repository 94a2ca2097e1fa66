//! The warm base: a copy of a commit's files with a target folder that is already built, one per repository and
//! toolchain. Trials see it copy-on-write, so building it once pays for every trial, and no trial can change it.

use std::fs;
use std::path::{Path, PathBuf};

use kaizen_domain::CommitId;
use serde::{Deserialize, Serialize};

use crate::features::Features;
use crate::isolation::{Arrangement, Cancel, Places};
use crate::progress::Progress;
use crate::runner::{Runner, TrialError};

/// Where notes are written inside a sandbox with a root of its own.
const NOTES: &str = "/kaizen-notes";

/// A copy of a commit's files, ready to be tried on.
#[derive(Debug, Clone)]
pub struct WarmBase {
    /// The commit whose files it holds.
    pub commit: CommitId,
    /// The folder of the cargo project below the top of the repository; empty when it is the top.
    pub folder: String,
    /// The features that are on.
    pub(crate) features: Features,
    dir: PathBuf,
    /// Where the tree and the scratch folders are inside.
    places: Places,
    /// Where a folder for notes is inside.
    notes_inside: PathBuf,
}

/// What a base on disk holds, written last.
#[derive(Serialize, Deserialize)]
struct Label {
    commit: CommitId,
    folder: String,
    #[serde(default)]
    features: Features,
}

/// Which base is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// What the repository is called among the bases. Under one name there is one base at a time.
    pub key: &'a str,
    /// The commit whose files it holds.
    pub commit: &'a CommitId,
    /// The folder of the cargo project below the top of the repository; empty when it is the top.
    pub folder: &'a str,
    /// The features that are on.
    pub features: &'a Features,
}

impl<'a> Wanted<'a> {
    /// A commit as it is built when nobody says anything else, with its project at the top.
    #[must_use]
    pub fn plain(key: &'a str, commit: &'a CommitId) -> Self {
        static DEFAULT: Features = Features::Default;
        Self { key, commit, folder: "", features: &DEFAULT }
    }
}

/// Writes the files of a commit into a fresh folder.
pub type Export<'a> = &'a dyn Fn(&Path) -> Result<(), String>;

impl WarmBase {
    /// The folder of the base itself, with the files below.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// What is known of the base itself, and gone with it.
    pub(crate) fn known_dir(&self) -> PathBuf {
        self.dir.join("known")
    }

    /// Where the tree and the scratch folders are inside, the same in every trial, so that cargo's fingerprints hold.
    pub(crate) fn places(&self) -> &Places {
        &self.places
    }

    /// The folder for notes on the host.
    pub(crate) fn notes_dir(&self) -> PathBuf {
        self.dir.join("notes")
    }

    /// The folder for notes as it is seen inside.
    pub(crate) fn notes_inside(&self) -> &Path {
        &self.notes_inside
    }

    /// A path inside as one below the tree; `None` for what lies elsewhere.
    pub(crate) fn below_tree<'p>(&self, inside: &'p str) -> Option<&'p str> {
        inside.strip_prefix(self.places.tree.to_str()?)?.strip_prefix('/')
    }

    /// The folder of the cargo project as it is seen inside.
    pub(crate) fn project_inside(&self) -> PathBuf {
        if self.folder.is_empty() { self.places.tree.clone() } else { self.places.tree.join(&self.folder) }
    }

    /// A path below the tree as it is seen inside.
    pub(crate) fn inside(&self, path: &str) -> String {
        format!("{}/{path}", self.places.tree.display())
    }

    /// What is built from: something else is another base.
    pub(crate) fn identity(&self) -> String {
        match &self.features {
            Features::Default => self.commit.to_string(),
            features => format!("{} {}", self.commit, serde_json::to_string(features).unwrap_or_default()),
        }
    }

    /// The folder with the files.
    #[must_use]
    pub fn tree_dir(&self) -> PathBuf {
        self.dir.join("tree")
    }

    /// A file below the tree, when it is a plain file that really lies there and is not larger than `limit` bytes. What
    /// untrusted code may have put there is never followed out, nor waited for.
    pub(crate) fn read_plain(&self, path: impl AsRef<Path>, limit: u64) -> Option<Vec<u8>> {
        let file = self.tree_dir().join(path).canonicalize().ok()?;
        file.starts_with(self.tree_dir().canonicalize().ok()?).then(|| read_plain(&file, limit))?
    }

    /// The folder of the cargo project in it.
    #[must_use]
    pub fn project_dir(&self) -> PathBuf {
        if self.folder.is_empty() { self.tree_dir() } else { self.tree_dir().join(&self.folder) }
    }

    /// Whether the repository has settings for nextest, and nextest was not found to be of no use for this commit.
    pub(crate) fn uses_nextest(&self) -> bool {
        let settings = self.project_dir().join(".config/nextest.toml");
        let given_up = fs::read_to_string(self.without_nextest()).unwrap_or_default();
        fs::symlink_metadata(settings).is_ok_and(|file| file.is_file()) && given_up != self.identity()
    }

    /// Does without nextest from now on.
    pub(crate) fn give_up_nextest(&self) -> Result<(), TrialError> {
        let file = self.without_nextest();
        fs::write(&file, self.identity()).map_err(TrialError::io("writing", &file))
    }

    fn without_nextest(&self) -> PathBuf {
        self.dir.join("without-nextest")
    }

    /// The built target folder.
    #[must_use]
    pub fn target_dir(&self) -> PathBuf {
        self.project_dir().join("target")
    }
}

impl Runner {
    /// Brings the base of a repository to a commit. The files are written anew unless they are that commit's already;
    /// the target folder is kept from commit to commit, so that dependencies are compiled once.
    ///
    /// # Errors
    /// When the files cannot be written, dependencies cannot be fetched, or no package has one of the features.
    pub fn prepare(
        &self,
        wanted: Wanted<'_>,
        export: Export<'_>,
        cancel: &Cancel,
        on: &mut dyn FnMut(Progress),
    ) -> Result<WarmBase, TrialError> {
        let Wanted { key, commit, folder, features } = wanted;
        let arrangement = self.isolation.arrangement();
        // What was built at one place is of no use at another.
        let name = format!("{key}-{}{}", self.toolchain.fingerprint(), arrangement.suffix());
        let dir = self.settings.state_dir.join("bases").join(name);
        fs::create_dir_all(&dir).map_err(TrialError::io("creating", &dir))?;
        let dir = dir.canonicalize().map_err(TrialError::io("finding", &dir))?;
        let base = WarmBase {
            commit: commit.clone(),
            folder: folder.to_owned(),
            features: features.clone(),
            places: self.isolation.places(&dir),
            notes_inside: match arrangement {
                Arrangement::Namespaces => PathBuf::from(NOTES),
                Arrangement::Restricted => dir.join("notes"),
            },
            dir: dir.clone(),
        };
        let label = dir.join("base.json");
        if let Some(known) = read_label(&label)
            && known.commit == *commit
            && known.folder == folder
            && known.features == *features
        {
            return Ok(base);
        }
        remove_file(&label)?;
        remove_dir(&base.known_dir())?;
        replace_tree(&base, export)?;
        on(Progress::Fetching);
        self.fetch(&base, cancel)?;
        self.turn_on(&base, cancel)?;
        let text = serde_json::to_string(&Label {
            commit: commit.clone(),
            folder: folder.to_owned(),
            features: features.clone(),
        })
        .unwrap_or_default();
        let draft = dir.join("base.json.new");
        fs::write(&draft, text).map_err(TrialError::io("writing", &draft))?;
        fs::rename(&draft, &label).map_err(TrialError::io("writing", &label))?;
        Ok(base)
    }
}

/// A plain file of at most so many bytes.
pub(crate) fn read_plain(file: &Path, limit: u64) -> Option<Vec<u8>> {
    let plain = fs::symlink_metadata(file).is_ok_and(|meta| meta.is_file() && meta.len() <= limit);
    plain.then(|| fs::read(file).ok())?
}

fn read_label(path: &Path) -> Option<Label> {
    serde_json::from_str(&fs::read_to_string(path).ok()?).ok()
}

/// Writes the files of the commit beside the old ones, moves the target folder over, then drops the old ones. Until
/// the label is written, whatever a crash leaves here is thrown away by the next call.
fn replace_tree(base: &WarmBase, export: Export<'_>) -> Result<(), TrialError> {
    let (tree, old, kept) = (base.tree_dir(), base.dir.join("tree.old"), base.dir.join("target.kept"));
    if tree.exists() {
        let target = find_target(&tree);
        if let Some(target) = target {
            remove_dir(&kept)?;
            fs::rename(&target, &kept).map_err(TrialError::io("moving", &target))?;
        }
        remove_dir(&old)?;
        fs::rename(&tree, &old).map_err(TrialError::io("moving", &tree))?;
    }
    fs::create_dir_all(&tree).map_err(TrialError::io("creating", &tree))?;
    export(&tree).map_err(TrialError::Export)?;
    check_links(base)?;
    let target = base.target_dir();
    if kept.exists() && !target.exists() {
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent).map_err(TrialError::io("creating", parent))?;
        }
        fs::rename(&kept, &target).map_err(TrialError::io("moving", &kept))?;
    }
    fs::create_dir_all(&target).map_err(TrialError::io("creating", &target))?;
    remove_dir(&old)?;
    remove_dir(&kept)
}

/// Refuses a commit in which a link stands where cargo writes outside the sandbox, or where the sandbox is given a folder
/// to write to: through it, a repository would reach any file of whoever runs Kaizen.
fn check_links(base: &WarmBase) -> Result<(), TrialError> {
    let project = base.project_dir();
    let inside = match (project.canonicalize(), base.tree_dir().canonicalize()) {
        (Ok(project), Ok(tree)) => project.starts_with(tree),
        _ => false,
    };
    if !inside {
        return Err(TrialError::Export(format!("the folder {:?} is not a folder of the commit", base.folder)));
    }
    for name in ["Cargo.toml", "Cargo.lock", "target"] {
        if fs::symlink_metadata(project.join(name)).is_ok_and(|meta| meta.is_symlink()) {
            return Err(TrialError::Export(format!(
                "{name} is a symbolic link; make it a file or folder of the repository"
            )));
        }
    }
    Ok(())
}

/// A target folder at the top or one or two folders down, wherever the project was before.
fn find_target(tree: &Path) -> Option<PathBuf> {
    let own = |path: &Path| fs::symlink_metadata(path).is_ok_and(|meta| meta.is_dir());
    let marked = |dir: &Path| {
        let target = dir.join("target");
        (own(&target) && target.join("CACHEDIR.TAG").is_file()).then_some(target)
    };
    let below = |dir: &Path| -> Vec<PathBuf> {
        let entries = fs::read_dir(dir).into_iter().flatten().flatten();
        entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.path()).collect()
    };
    marked(tree).or_else(|| {
        let first = below(tree);
        first
            .iter()
            .find_map(|dir| marked(dir))
            .or_else(|| first.iter().flat_map(|dir| below(dir)).find_map(|dir| marked(&dir)))
    })
}

fn remove_dir(path: &Path) -> Result<(), TrialError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(TrialError::io("removing", path)(error)),
        _ => Ok(()),
    }
}

fn remove_file(path: &Path) -> Result<(), TrialError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(TrialError::io("removing", path)(error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(dir: &Path) -> WarmBase {
        let at = |name: &str| dir.join(name);
        WarmBase {
            commit: CommitId::new("a".repeat(40)).unwrap(),
            features: Features::Default,
            folder: String::new(),
            dir: dir.to_path_buf(),
            places: Places { tree: at("inside"), home: at("home"), tmp: at("tmp") },
            notes_inside: at("notes"),
        }
    }

    #[test]
    fn a_link_where_cargo_writes_is_refused() {
        for name in ["Cargo.lock", "target", "Cargo.toml"] {
            let dir = tempfile::tempdir().unwrap();
            let outside = tempfile::tempdir().unwrap();
            let export = |tree: &Path| {
                std::os::unix::fs::symlink(outside.path(), tree.join(name)).map_err(|error| error.to_string())
            };
            let error = replace_tree(&base(dir.path()), &export).unwrap_err();
            assert!(error.to_string().contains(&format!("{name} is a symbolic link")), "{error}");
            assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
        }
    }

    #[test]
    fn only_plain_files_of_the_tree_are_read() {
        let dir = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("lib.rs"), "secret").unwrap();
        let base = base(dir.path());
        let tree = base.tree_dir();
        fs::create_dir_all(tree.join("src")).unwrap();
        fs::write(tree.join("src/lib.rs"), "ours").unwrap();
        std::os::unix::fs::symlink(outside.path(), tree.join("away")).unwrap();
        std::os::unix::fs::symlink(outside.path().join("lib.rs"), tree.join("src/link.rs")).unwrap();
        let fifo = tree.join("src/fifo.rs");
        let name = std::ffi::CString::new(fifo.to_str().unwrap()).unwrap();
        // SAFETY: the name ends in NUL and lives through the call.
        assert_eq!(unsafe { libc::mkfifo(name.as_ptr(), 0o600) }, 0);
        assert_eq!(base.read_plain("src/lib.rs", 100).as_deref(), Some(&b"ours"[..]));
        for path in ["away/lib.rs", "src/link.rs", "src/fifo.rs", "../../etc/hostname", "src", "none"] {
            assert_eq!(base.read_plain(path, 100), None, "{path}");
        }
        assert_eq!(base.read_plain("src/lib.rs", 3), None);
    }

    #[test]
    fn the_built_target_folder_moves_along_from_commit_to_commit_and_a_link_does_not() {
        let dir = tempfile::tempdir().unwrap();
        let base = base(dir.path());
        let export = |tree: &Path| fs::write(tree.join("Cargo.toml"), "").map_err(|error| error.to_string());
        replace_tree(&base, &export).unwrap();
        fs::write(base.target_dir().join("CACHEDIR.TAG"), "").unwrap();
        fs::write(base.target_dir().join("artefact"), "built").unwrap();
        fs::write(base.tree_dir().join("old.rs"), "").unwrap();
        replace_tree(&base, &export).unwrap();
        assert_eq!(fs::read_to_string(base.target_dir().join("artefact")).unwrap(), "built");
        assert!(!base.tree_dir().join("old.rs").exists());

        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("CACHEDIR.TAG"), "").unwrap();
        fs::remove_dir_all(base.target_dir()).unwrap();
        std::os::unix::fs::symlink(outside.path(), base.target_dir()).unwrap();
        replace_tree(&base, &export).unwrap();
        assert!(fs::symlink_metadata(base.target_dir()).unwrap().is_dir());
    }
}
