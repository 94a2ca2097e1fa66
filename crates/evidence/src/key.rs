//! The key of an installation: made at its first use, kept in a file that only its user can read.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

/// Why there is no key.
#[derive(Debug, Error)]
pub enum KeyError {
    /// Its file.
    #[error("{what} {path}: {source}")]
    Io {
        /// What was being done.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: std::io::Error,
    },
    /// What the file holds.
    #[error("{path} holds no key: it should be 64 hexadecimal digits; move it away and a new one is made")]
    NoKey {
        /// The file.
        path: PathBuf,
    },
    /// A text.
    #[error("`{text}` is no public key: it should be 64 hexadecimal digits")]
    NoPublicKey {
        /// The text.
        text: String,
    },
    /// The machine.
    #[error("this machine has no random numbers to make a key of")]
    NoRandomness,
}

/// The key that an installation signs with.
pub struct InstallationKey(SigningKey);

impl fmt::Debug for InstallationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("InstallationKey").field(&self.public()).finish()
    }
}

impl InstallationKey {
    /// The key in a file; made anew when the file is not there. Of two processes that make one, the first one's stays.
    ///
    /// # Errors
    /// When the file cannot be read or written, or holds something else.
    pub fn of(path: &Path) -> Result<Self, KeyError> {
        match Self::read(path)? {
            Some(key) => Ok(key),
            None => {
                Self::make(path)?;
                Self::read(path)?.ok_or_else(|| KeyError::NoKey { path: path.to_owned() })
            }
        }
    }

    /// The key in a file, when there is one.
    ///
    /// # Errors
    /// When the file cannot be read, or holds something else.
    pub fn read(path: &Path) -> Result<Option<Self>, KeyError> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(KeyError::Io { what: "reading the key", path: path.to_owned(), source }),
        };
        let bytes = hex::decode(text.trim()).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        let bytes = bytes.ok_or_else(|| KeyError::NoKey { path: path.to_owned() })?;
        Ok(Some(Self(SigningKey::from_bytes(&bytes))))
    }

    /// Written beside its place and linked there, so that nobody reads half a key and nobody's key is overwritten.
    fn make(path: &Path) -> Result<(), KeyError> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|_| KeyError::NoRandomness)?;
        let draft = path.with_extension(format!("{}.new", std::process::id()));
        let io = |what, path: &Path| {
            let path = path.to_owned();
            move |source| KeyError::Io { what, path, source }
        };
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(io("making the folder", folder))?;
        }
        let _ = fs::remove_file(&draft);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft);
        let written =
            file.as_mut().map(|file| file.write_all(hex::encode(bytes).as_bytes()).and_then(|()| file.sync_all()));
        match written {
            Ok(Ok(())) => {}
            Ok(Err(source)) => return Err(io("writing the key", &draft)(source)),
            Err(_) => file.map(drop).map_err(io("writing the key", &draft))?,
        }
        let linked = fs::hard_link(&draft, path);
        let _ = fs::remove_file(&draft);
        match linked {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(io("writing the key", path)(error)),
            _ => Ok(()),
        }
    }

    /// What others check its signatures with.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    pub(crate) fn sign(&self, bytes: &[u8]) -> [u8; 64] {
        self.0.sign(bytes).to_bytes()
    }
}

/// The public half of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// A short name for it: the beginning of its SHA-256 digest.
    #[must_use]
    pub fn id(&self) -> String {
        let digest = hex::encode(Sha256::digest(self.0.as_bytes()));
        digest.chars().take(16).collect()
    }

    pub(crate) fn is_signed(&self, bytes: &[u8], signature: &[u8]) -> bool {
        let signature = Signature::from_slice(signature);
        signature.is_ok_and(|signature| self.0.verify_strict(bytes, &signature).is_ok())
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0.as_bytes()))
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let bytes = hex::decode(text.trim()).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        let key = bytes.and_then(|bytes| VerifyingKey::from_bytes(&bytes).ok());
        key.map(Self).ok_or_else(|| KeyError::NoPublicKey { text: text.trim().chars().take(80).collect() })
    }
}
