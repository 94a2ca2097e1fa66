//! Names that git and tenants give, checked once when they are made.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A text that is not the kind of name asked for.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{text:?} is not a {what}")]
pub struct InvalidName {
    text: String,
    what: &'static str,
}

macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident, $what:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Checks a name that came from outside.
            ///
            /// # Errors
            /// When the text does not have the form of such a name.
            pub fn new(text: impl Into<String>) -> Result<Self, InvalidName> {
                let text = text.into();
                let check: fn(&str) -> bool = $check;
                if check(&text) { Ok(Self(text)) } else { Err(InvalidName { text, what: $what }) }
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = InvalidName;
            fn from_str(text: &str) -> Result<Self, InvalidName> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidName;
            fn try_from(text: String) -> Result<Self, InvalidName> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }
    };
}

name_type!(/// The object id of a commit: 40 or 64 hexadecimal digits.
    CommitId, "commit id", is_object_id);
name_type!(/// The object id of a tree: 40 or 64 hexadecimal digits.
    TreeId, "tree id", is_object_id);
name_type!(/// A full ref name such as `refs/heads/main`.
    RefName, "full ref name", |text| text.starts_with("refs/") && is_ref_format(text));
name_type!(/// A branch name such as `main`, without `refs/heads/`.
    BranchName, "branch name", |text| is_ref_format(text) && !text.starts_with('-') && text != "HEAD");
name_type!(/// Who the work is for. One machine with one user has the tenant `local`.
TenantId, "tenant name (1 to 64 of a-z, 0-9 and -)", |text| {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
});

impl CommitId {
    /// The first seven digits, as git shows them.
    #[must_use]
    pub fn short(&self) -> &str {
        self.0.get(..7).unwrap_or(&self.0)
    }
}

impl BranchName {
    /// The full ref name of the branch.
    #[must_use]
    pub fn to_ref(&self) -> RefName {
        RefName(format!("refs/heads/{}", self.0))
    }
}

impl RefName {
    /// The branch name when the ref is a branch; the whole name otherwise.
    #[must_use]
    pub fn short(&self) -> &str {
        self.0.strip_prefix("refs/heads/").unwrap_or(&self.0)
    }
}

impl TenantId {
    /// The tenant of a machine that serves one user.
    #[must_use]
    pub fn local() -> Self {
        Self("local".to_owned())
    }
}

fn is_object_id(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// The rules of `git check-ref-format`.
fn is_ref_format(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 1024
        && text != "@"
        && !text.contains("..")
        && !text.contains("@{")
        && !text.ends_with('.')
        && !text.chars().any(|c| c.is_control() || matches!(c, ' ' | '~' | '^' | ':' | '?' | '*' | '[' | '\\'))
        && text.split('/').all(|part| !part.is_empty() && !part.starts_with('.') && !part.ends_with(".lock"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_from_outside_are_checked() {
        assert!(CommitId::new("a".repeat(40)).is_ok());
        for bad in ["", "HEAD", "ABCDEF", &"g".repeat(40), &"a".repeat(41)] {
            assert!(CommitId::new(bad).is_err(), "{bad}");
        }
        for bad in ["", "-x", "a..b", "a b", "a.lock", "a/.b", "x~1", "HEAD", "a\nb", "@", "a/"] {
            assert!(BranchName::new(bad).is_err(), "{bad:?}");
        }
        assert_eq!(BranchName::new("kaizen/c1/2-x").unwrap().to_ref().short(), "kaizen/c1/2-x");
        assert!(RefName::new("main").is_err());
        assert!(TenantId::new("../x").is_err());
    }
}
