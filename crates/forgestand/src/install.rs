//! Getting what the counterparts are made of: into a folder that the caller names, once, with a lock, so that two
//! processes do not install at the same time. Versions of npm and of crates are pinned here; a Debian package is the
//! one that the machine's release has.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::fs::{FlockOperation, flock};

/// The emulator of GitHub's interface.
pub const EMULATE: &str = "emulate@0.12.2";
/// The proxy that checks requests and answers against a description.
pub const PRISM: &str = "@stoplight/prism-cli@5.14.2";
/// GitHub's description of its interface.
pub const GITHUB_OPENAPI: &str = "@octokit/openapi@23.0.2";
/// The stand-in for providers of language models.
pub const AIMOCK: &str = "@copilotkit/aimock@1.43.0";
/// The gateway to providers of language models. Later ones ask for packages that not every mirror has yet.
pub const LITELLM: &str = "litellm[proxy]==1.105.0";
/// What installs Python packages in seconds rather than minutes.
const UV: &str = "uv==0.13.9";
/// The crate that ships Forgejo's description of its interface.
pub const FORGEJO_API: (&str, &str) = ("forgejo-api", "0.12.0");
/// Debian packages of a git remote over HTTP.
const DEBIAN: &[&str] = &["nginx", "nginx-common", "fcgiwrap", "libfcgi0ldbl"];

/// A folder that installed things are kept in.
#[derive(Debug, Clone)]
pub struct Cache {
    folder: PathBuf,
}

impl Cache {
    /// A cache in this folder, which is made when it is not there.
    ///
    /// # Panics
    /// When it cannot be made.
    #[must_use]
    pub fn at(folder: &Path) -> Self {
        std::fs::create_dir_all(folder).expect("the cache's folder can be made");
        Self { folder: folder.canonicalize().expect("the cache's folder is there") }
    }

    /// A folder that holds nginx and fcgiwrap, unpacked and not installed: no service, no change of the machine.
    ///
    /// # Panics
    /// When `apt-get` or `dpkg` is missing or fails, as everything here: with what the tool printed.
    #[must_use]
    pub fn nginx(&self) -> PathBuf {
        self.debian("nginx", DEBIAN)
    }

    /// A folder that holds Prometheus, unpacked in the same way.
    ///
    /// # Panics
    /// As [`Self::nginx`].
    #[must_use]
    pub fn prometheus(&self) -> PathBuf {
        self.debian("prometheus", &["prometheus"])
    }

    fn debian(&self, name: &str, packages: &[&str]) -> PathBuf {
        self.once(name, "debian", |folder| {
            let fetched = folder.join("packages");
            std::fs::create_dir_all(&fetched).expect("a folder can be made");
            run(Command::new("apt-get").arg("download").args(packages).current_dir(&fetched));
            for package in std::fs::read_dir(&fetched).expect("a folder can be read").flatten() {
                run(Command::new("dpkg").arg("-x").arg(package.path()).arg(folder));
            }
        })
    }

    /// A folder with a `node_modules` that holds these packages, such as [`EMULATE`].
    ///
    /// # Panics
    /// When `npm` is missing or fails.
    #[must_use]
    pub fn npm(&self, name: &str, packages: &[&str]) -> PathBuf {
        self.once(name, &packages.join(" "), |folder| {
            std::fs::write(folder.join("package.json"), "{\"private\":true}\n").expect("a file can be written");
            let mut npm = Command::new("npm");
            npm.args(["install", "--no-audit", "--no-fund", "--ignore-scripts", "--save-exact"]);
            run(npm.args(packages).current_dir(folder));
        })
    }

    /// A folder with a virtual environment of Python that holds a package, such as [`LITELLM`].
    ///
    /// # Panics
    /// When `python3` has no `venv`, or the package cannot be installed.
    #[must_use]
    pub fn pypi(&self, name: &str, package: &str) -> PathBuf {
        self.once(name, package, |folder| {
            run(Command::new("python3").args(["-m", "venv", "."]).current_dir(folder));
            run(Command::new("bin/pip").args(["install", "--quiet", UV]).current_dir(folder));
            let mut uv = Command::new("bin/uv");
            run(uv.args(["pip", "install", "--quiet", "--python", "bin/python", package]).current_dir(folder));
        })
    }

    /// Forgejo's description of its interface, a Swagger 2 document.
    ///
    /// # Panics
    /// When cargo cannot fetch the crate.
    #[must_use]
    pub fn forgejo_swagger(&self) -> PathBuf {
        let (name, version) = FORGEJO_API;
        let folder = self.once("forgejo", version, |folder| {
            let manifest = format!(
                "[package]\nname = \"fetch\"\nversion = \"0.0.0\"\nedition = \"2021\"\n\n[workspace]\n\n[dependencies]\n\
                 {name} = \"={version}\"\n"
            );
            std::fs::create_dir_all(folder.join("src")).expect("a folder can be made");
            std::fs::write(folder.join("src/lib.rs"), "").expect("a file can be written");
            std::fs::write(folder.join("Cargo.toml"), manifest).expect("a file can be written");
            run(Command::new("cargo").args(["vendor", "--quiet", "vendor"]).current_dir(folder));
            let shipped = folder.join("vendor").join(name).join("swagger.v1.json");
            std::fs::copy(shipped, folder.join("swagger.v1.json")).expect("the crate ships its description");
            std::fs::remove_dir_all(folder.join("vendor")).expect("what was fetched can be removed");
        });
        folder.join("swagger.v1.json")
    }

    /// Makes a folder once: it counts as made when it holds a note of what it was made from.
    pub(crate) fn once(&self, name: &str, what: &str, make: impl FnOnce(&Path)) -> PathBuf {
        let folder = self.folder.join(name);
        let note = folder.join(".complete");
        let lock = File::create(self.folder.join(format!("{name}.lock"))).expect("a lock can be made");
        // The lock goes with the file, also when this process is killed.
        flock(&lock, FlockOperation::LockExclusive).expect("a lock can be waited for");
        if std::fs::read_to_string(&note).is_ok_and(|made| made == what) {
            return folder;
        }
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).expect("a folder can be made");
        make(&folder);
        std::fs::write(&note, what).expect("a note can be written");
        folder
    }
}

/// Where tests keep what they install: the folder in `KAIZEN_TEST_CACHE`, or one of the workspace's `target`.
#[must_use]
pub fn usual_cache() -> Cache {
    let named = std::env::var_os("KAIZEN_TEST_CACHE").map(PathBuf::from);
    let target = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/forgestand");
    Cache::at(&named.unwrap_or_else(target))
}

/// Whether tests with counterparts that must be installed are asked for, by `KAIZEN_TEST_ALL=1`.
#[must_use]
pub fn all_tests() -> bool {
    std::env::var_os("KAIZEN_TEST_ALL").is_some_and(|value| value == "1")
}

fn run(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = || String::from_utf8_lossy(&[&output.stdout[..], &output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{command:?}: {}\n{}", output.status, said());
}
