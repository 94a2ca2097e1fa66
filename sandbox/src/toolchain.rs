//! The Rust toolchain that trials use: found once, outside the sandbox, and seen inside at a fixed place, read-only.
//!
//! A repository may name a toolchain. It is taken when it is installed; nothing is ever installed for a repository.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::isolation::{Arrangement, Places};

/// Where the toolchain stands inside a sandbox with a root of its own.
const INSIDE: &str = "/toolchain";

/// A toolchain and the places cargo keeps its downloads.
#[derive(Debug, Clone)]
pub struct Toolchain {
    /// The folder that holds `bin/cargo` and `lib/rustlib`.
    pub sysroot: PathBuf,
    /// The same folder as it is seen in the sandbox.
    pub inside: PathBuf,
    /// What `rustc -vV` says.
    pub version: String,
    /// Cargo's home outside, whose registry is seen inside.
    pub cargo_home: PathBuf,
    /// Whether clippy is there.
    pub clippy: bool,
    /// Whether rustfmt is there.
    pub rustfmt: bool,
    /// The program `cargo-nextest` on the host, where it is installed.
    pub nextest: Option<PathBuf>,
}

/// Why there is no toolchain.
#[derive(Debug, Error)]
pub enum ToolchainError {
    /// `rustc` cannot be started or fails.
    #[error(
        "`rustc` does not run: {0}; install Rust with rustup and make sure that `rustc --version` works in a terminal"
    )]
    NoRustc(String),
    /// A part of it is missing.
    #[error("the toolchain in {sysroot} has no `{part}`; install it with `rustup component add {part}`")]
    NoPart {
        /// The toolchain.
        sysroot: PathBuf,
        /// What is missing.
        part: &'static str,
    },
    /// Cargo's home is not known.
    #[error("neither CARGO_HOME nor HOME is set, so cargo's registry cannot be found")]
    NoCargoHome,
}

impl Toolchain {
    /// Finds the toolchain that a repository asks for when it is installed, and the default one otherwise.
    ///
    /// `asked` is the content of the repository's `rust-toolchain.toml` or `rust-toolchain`; `neutral` is a folder in
    /// which no repository's configuration is read.
    ///
    /// # Errors
    /// When no toolchain works, or it has no cargo.
    pub fn find(asked: Option<&str>, neutral: &Path, arrangement: Arrangement) -> Result<Self, ToolchainError> {
        let channel = asked.and_then(channel);
        let sysroot = channel
            .and_then(|channel| print_sysroot(Some(&channel), neutral).ok())
            .map_or_else(|| print_sysroot(None, neutral), Ok)?;
        let part = |name: &'static str| sysroot.join("bin").join(name).is_file();
        if !part("cargo") {
            return Err(ToolchainError::NoPart { sysroot, part: "cargo" });
        }
        let version = output(Command::new(sysroot.join("bin/rustc")).arg("-vV").current_dir(neutral))?;
        let cargo_home = std::env::var_os("CARGO_HOME")
            .map(PathBuf::from)
            .or_else(|| std::env::home_dir().map(|home| home.join(".cargo")))
            .ok_or(ToolchainError::NoCargoHome)?;
        Ok(Self {
            clippy: part("cargo-clippy"),
            rustfmt: part("rustfmt"),
            inside: match arrangement {
                Arrangement::Namespaces => PathBuf::from(INSIDE),
                Arrangement::Restricted => sysroot.clone(),
            },
            sysroot,
            version: version.trim().to_owned(),
            nextest: nextest(&cargo_home),
            cargo_home,
        })
    }

    /// The first line of the version, such as `rustc 1.95.0 (59807616e 2026-04-14)`.
    #[must_use]
    pub fn title(&self) -> &str {
        self.version.lines().next().unwrap_or("rustc")
    }

    /// A short name that differs between toolchains, for folders.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let hash = Sha256::digest(self.version.as_bytes());
        hex::encode(hash.get(..4).unwrap_or_default())
    }

    /// A program of the toolchain, as the sandbox sees it.
    #[must_use]
    pub fn program(&self, name: &str) -> PathBuf {
        self.inside.join("bin").join(name)
    }

    /// What of the host is seen inside, read-only, in a sandbox with this home.
    #[must_use]
    pub fn mounts(&self, home: &Path) -> Vec<(PathBuf, PathBuf)> {
        let mut mounts = vec![(self.sysroot.clone(), self.inside.clone())];
        for part in ["registry", "git"] {
            let host = self.cargo_home.join(part);
            if host.is_dir() {
                mounts.push((host, home.join(".cargo").join(part)));
            }
        }
        mounts
    }

    /// The program `cargo-nextest`, where it is installed: on the host, and in a sandbox with this home that needs it.
    #[must_use]
    pub fn nextest_mount(&self, home: &Path) -> Option<(PathBuf, PathBuf)> {
        self.nextest.clone().map(|host| (host, home.join(".cargo/bin/cargo-nextest")))
    }

    /// The whole environment of what runs inside.
    #[must_use]
    pub fn environment(&self, places: &Places) -> Vec<(OsString, OsString)> {
        let mut path = self.inside.join("bin").into_os_string();
        path.push(":/usr/local/bin:/usr/bin:/bin");
        let mut all: Vec<(OsString, OsString)> = vec![
            ("PATH".into(), path),
            ("HOME".into(), places.home.clone().into()),
            ("CARGO_HOME".into(), places.home.join(".cargo").into()),
            ("TMPDIR".into(), places.tmp.clone().into()),
        ];
        let fixed = [
            ("LANG", "C.UTF-8"),
            ("CARGO_NET_OFFLINE", "true"),
            ("CARGO_TERM_COLOR", "never"),
            ("CARGO_TERM_PROGRESS_WHEN", "never"),
            // Half the disk and a tenth of the time; no test may depend on it, and both sides have the same.
            ("CARGO_PROFILE_DEV_DEBUG", "0"),
            ("CARGO_PROFILE_TEST_DEBUG", "0"),
            ("CARGO_INCREMENTAL", "1"),
        ];
        all.extend(fixed.map(|(name, value)| (name.into(), value.into())));
        all
    }
}

/// Where `cargo-nextest` is installed, by cargo or in a folder that programs are looked for in.
fn nextest(cargo_home: &Path) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(cargo_home.join("bin")).chain(std::env::split_paths(&path));
    let found = folders.map(|folder| folder.join("cargo-nextest")).find(|program| program.is_file())?;
    found.canonicalize().ok()
}

/// The channel that a toolchain file names, when it has the form of one: letters, digits, dots and dashes.
fn channel(text: &str) -> Option<String> {
    let value = if text.contains('=') {
        let line = text.lines().find(|line| line.trim_start().starts_with("channel"))?;
        line.split('=').nth(1)?.trim().trim_matches(['"', '\'']).to_owned()
    } else {
        text.lines().next()?.trim().to_owned()
    };
    let plain = !value.is_empty() && value.len() < 64 && !value.starts_with('-');
    (plain && value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-')).then_some(value)
}

fn print_sysroot(channel: Option<&str>, neutral: &Path) -> Result<PathBuf, ToolchainError> {
    let mut command = Command::new("rustc");
    command.args(["--print", "sysroot"]).current_dir(neutral).env("RUSTUP_AUTO_INSTALL", "0");
    if let Some(channel) = channel {
        command.env("RUSTUP_TOOLCHAIN", channel);
    }
    let path = PathBuf::from(output(&mut command)?.trim());
    path.canonicalize().map_err(|error| ToolchainError::NoRustc(format!("{}: {error}", path.display())))
}

fn output(command: &mut Command) -> Result<String, ToolchainError> {
    let done = command.output().map_err(|error| ToolchainError::NoRustc(error.to_string()))?;
    if !done.status.success() {
        return Err(ToolchainError::NoRustc(String::from_utf8_lossy(&done.stderr).trim().to_owned()));
    }
    Ok(String::from_utf8_lossy(&done.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::channel;

    #[test]
    fn only_what_has_the_form_of_a_channel_is_taken() {
        assert_eq!(channel("[toolchain]\nchannel = \"1.95.0\"\n").as_deref(), Some("1.95.0"));
        assert_eq!(channel("nightly-2026-01-01\n").as_deref(), Some("nightly-2026-01-01"));
        for bad in ["", "../../evil", "-x", "channel = \"a b\"", "[toolchain]\npath = \"/evil\""] {
            assert_eq!(channel(bad), None, "{bad}");
        }
    }
}
