//! Remotes: which forge, owner and repository a remote's address stands for.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::ForgeError;

/// A kind of forge, by the interface it speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ForgeKind {
    /// github.com and GitHub Enterprise.
    GitHub,
    /// gitlab.com and GitLab of one's own.
    GitLab,
    /// Forgejo and Gitea.
    Forgejo,
}

impl fmt::Display for ForgeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::GitHub => "GitHub",
            Self::GitLab => "GitLab",
            Self::Forgejo => "Forgejo",
        })
    }
}

/// A repository on a forge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    /// `http` or `https`: how its web address begins. What is reached by ssh has its interface behind https.
    pub scheme: String,
    /// The host, with its port when that is not the usual one of http.
    pub host: String,
    /// The owner: a person, an organisation, on GitLab also groups inside each other.
    pub owner: String,
    /// The name of the repository.
    pub name: String,
}

impl Remote {
    /// Reads the address of a remote: `https://host/owner/name.git`, `ssh://git@host/owner/name`, `git@host:owner/name`.
    ///
    /// # Errors
    /// When it is no address of a repository on a forge.
    pub fn parse(address: &str) -> Result<Self, ForgeError> {
        let bad = || ForgeError::NotARemote { address: without_password(address) };
        let address = address.trim();
        let (scheme, rest) = match address.split_once("://") {
            Some((scheme, rest)) => (scheme, rest.to_owned()),
            None => {
                // `git@host:path`; a path on this machine has no host.
                let (host, path) = address.split_once(':').ok_or_else(bad)?;
                if host.contains('/') || host.is_empty() || path.is_empty() {
                    return Err(bad());
                }
                ("ssh", format!("{host}/{}", path.trim_start_matches('/')))
            }
        };
        let (host, path) = rest.split_once('/').ok_or_else(bad)?;
        let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
        let (scheme, host) = match scheme {
            "http" | "https" => (scheme, host),
            // The port is that of ssh; the interface is behind the usual one of https.
            "ssh" | "git+ssh" | "ssh+git" => ("https", host.split(':').next().unwrap_or(host)),
            _ => return Err(bad()),
        };
        let path = path.trim_matches('/');
        let path = path.strip_suffix(".git").unwrap_or(path);
        let (owner, name) = path.rsplit_once('/').ok_or_else(bad)?;
        let remote = Self {
            scheme: scheme.to_owned(),
            host: host.to_ascii_lowercase(),
            owner: owner.to_owned(),
            name: name.to_owned(),
        };
        if remote.is_plain() { Ok(remote) } else { Err(bad()) }
    }

    /// Only what names on forges consist of: these parts become parts of addresses.
    fn is_plain(&self) -> bool {
        let plain = |text: &str, more: &str| {
            !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "-._".contains(c) || more.contains(c))
        };
        let parts_plain = |text: &str| text.split('/').all(|part| plain(part, "~") && part != "." && part != "..");
        plain(&self.host, ":[]") && parts_plain(&self.owner) && parts_plain(&self.name)
    }

    /// The kind of forge, where the host tells it.
    #[must_use]
    pub fn kind(&self) -> Option<ForgeKind> {
        let host = self.host.split(':').next().unwrap_or("");
        let has = |word: &str| host == word || host.split('.').any(|label| label == word.trim_end_matches(".com"));
        match host {
            "codeberg.org" | "gitea.com" => Some(ForgeKind::Forgejo),
            _ if has("github.com") => Some(ForgeKind::GitHub),
            _ if has("gitlab.com") => Some(ForgeKind::GitLab),
            _ if has("forgejo") || has("gitea") => Some(ForgeKind::Forgejo),
            _ => None,
        }
    }

    /// Where the forge's interface usually is.
    #[must_use]
    pub fn api_url(&self, kind: ForgeKind) -> String {
        let (scheme, host) = (&self.scheme, &self.host);
        match kind {
            ForgeKind::GitHub if host == "github.com" => "https://api.github.com".to_owned(),
            ForgeKind::GitHub => format!("{scheme}://{host}/api/v3"),
            ForgeKind::GitLab => format!("{scheme}://{host}/api/v4"),
            ForgeKind::Forgejo => format!("{scheme}://{host}/api/v1"),
        }
    }

    /// The address that git pushes to and fetches from, without any secret.
    #[must_use]
    pub fn git_url(&self) -> String {
        format!("{}://{}/{}/{}.git", self.scheme, self.host, self.owner, self.name)
    }
}

impl fmt::Display for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.host, self.owner, self.name)
    }
}

/// An address as an error may show it.
fn without_password(address: &str) -> String {
    let shown = match (address.find("://"), address.rfind('@')) {
        (Some(scheme), Some(at)) if at > scheme => {
            format!("{}{}", address.get(..scheme + 3).unwrap_or(""), address.get(at + 1..).unwrap_or(""))
        }
        _ => address.to_owned(),
    };
    shown.chars().filter(|c| !c.is_control()).take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses_of_every_usual_form_are_read() {
        for (address, shown, kind, api) in [
            ("https://github.com/a/b.git", "github.com/a/b", Some(ForgeKind::GitHub), "https://api.github.com"),
            ("git@github.com:a/b.git", "github.com/a/b", Some(ForgeKind::GitHub), "https://api.github.com"),
            (
                "ssh://git@github.acme.dev:22/a/b",
                "github.acme.dev/a/b",
                Some(ForgeKind::GitHub),
                "https://github.acme.dev/api/v3",
            ),
            ("https://gitlab.com/g/sub/b", "gitlab.com/g/sub/b", Some(ForgeKind::GitLab), "https://gitlab.com/api/v4"),
            (
                "https://user:secret@codeberg.org/a/b/",
                "codeberg.org/a/b",
                Some(ForgeKind::Forgejo),
                "https://codeberg.org/api/v1",
            ),
            ("http://127.0.0.1:8080/a/b.git", "127.0.0.1:8080/a/b", None, "http://127.0.0.1:8080/api/v1"),
        ] {
            let remote = Remote::parse(address).unwrap();
            assert_eq!((remote.to_string().as_str(), remote.kind()), (shown, kind), "{address}");
            assert_eq!(remote.api_url(kind.unwrap_or(ForgeKind::Forgejo)), api, "{address}");
        }
    }

    #[test]
    fn what_is_no_repository_on_a_forge_is_refused_without_its_password() {
        for address in
            ["", "/srv/git/x.git", "file:///srv/x", "https://h/x", "https://h/../x", "git@h:", "https://h/a/b?c"]
        {
            assert!(Remote::parse(address).is_err(), "{address}");
        }
        let error = Remote::parse("https://me:hunter2@h").unwrap_err().to_string();
        assert!(!error.contains("hunter2") && error.contains("https://h"), "{error}");
    }

    proptest! {
        #[test]
        fn any_text_is_taken(address in "\\PC{0,60}|(https?|ssh)://[a-z@:.]{0,20}/[a-z./]{0,20}") {
            if let Ok(remote) = Remote::parse(&address) {
                prop_assert_eq!(Remote::parse(&remote.git_url()).unwrap(), remote);
            }
        }
    }
}
