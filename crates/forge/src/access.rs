//! What the forge lets Kaizen in with: a token, or a GitHub App that gives tokens for an hour.

use std::fmt;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject as _;
use secrecy::{ExposeSecret as _, SecretString};

use crate::api::{Limits, Pace};
use crate::error::ForgeError;
use crate::remote::ForgeKind;

/// How a forge is reached.
#[derive(Clone)]
pub struct Access {
    /// The kind of forge; none: as its host tells.
    pub kind: Option<ForgeKind>,
    /// Where its interface is; none: where it usually is.
    pub api_url: Option<String>,
    /// What it lets Kaizen in with.
    pub credentials: Credentials,
    /// How long is waited.
    pub limits: Limits,
    /// How fast changes are asked for.
    pub pace: Pace,
}

impl Access {
    /// Access with a token, everything else as usual.
    #[must_use]
    pub fn with_token(token: SecretString) -> Self {
        Self {
            kind: None,
            api_url: None,
            credentials: Credentials::Token(token),
            limits: Limits::default(),
            pace: Pace::default(),
        }
    }
}

/// A secret that the forge knows.
#[derive(Clone)]
pub enum Credentials {
    /// A token of an account or a bot.
    Token(SecretString),
    /// A GitHub App.
    App(App),
}

/// A GitHub App, installed on the repository's owner.
#[derive(Clone)]
pub struct App {
    /// Its id, or its client id.
    pub id: String,
    /// The number of its installation.
    pub installation: u64,
    /// Its private key, PEM.
    pub key: SecretString,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token(_) => f.write_str("Token"),
            Self::App(app) => write!(f, "App({})", app.id),
        }
    }
}

impl Credentials {
    /// What tells the account from others: its token, or the key of the App.
    pub(crate) fn who(&self) -> SecretString {
        match self {
            Self::Token(token) => token.clone(),
            Self::App(app) => format!("{}\0{}\0{}", app.id, app.installation, app.key.expose_secret()).into(),
        }
    }

    /// A token from an environment variable or a file, whichever is named.
    ///
    /// # Errors
    /// When neither is named, or what is named holds none.
    pub fn token_from(env: &str, file: &str) -> Result<Self, ForgeError> {
        let missing = |what: String| ForgeError::NoToken { what };
        let text = if env.is_empty() {
            if file.is_empty() {
                return Err(missing("no token is named (`forge.token_env` or `forge.token_file`)".to_owned()));
            }
            read_secret(file, "forge.token_file")?
        } else {
            std::env::var(env)
                .map_err(|_| missing(format!("the environment variable {env} (`forge.token_env`) is not set")))?
        };
        let token = text.trim().to_owned();
        // It becomes a header: what cannot be one is no token.
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            let place = if env.is_empty() { file } else { env };
            return Err(missing(format!("{place} holds no token")));
        }
        Ok(Self::Token(token.into()))
    }

    /// A GitHub App whose key is in a file.
    ///
    /// # Errors
    /// When the file holds no RSA key.
    pub fn app_from(id: &str, installation: u64, file: &str) -> Result<Self, ForgeError> {
        let key = read_secret(file, "forge.app_key_file")?;
        let app = App { id: id.to_owned(), installation, key: key.into() };
        app.signed(0)?;
        Ok(Self::App(app))
    }
}

fn read_secret(file: &str, key: &str) -> Result<String, ForgeError> {
    std::fs::read_to_string(PathBuf::from(file))
        .map_err(|error| ForgeError::NoToken { what: format!("the file {file} (`{key}`) cannot be read: {error}") })
}

impl App {
    /// What the App proves itself with, for nine minutes: a JSON Web Token signed with RS256 (RFC 7519, RFC 7518).
    ///
    /// # Errors
    /// When the key is none.
    pub(crate) fn signed(&self, now: i64) -> Result<SecretString, ForgeError> {
        let bad = |why: String| ForgeError::NoToken {
            what: format!("the key of the GitHub App {} (`forge.app_key_file`) cannot be used: {why}", self.id),
        };
        let der = PrivateKeyDer::from_pem_slice(self.key.expose_secret().as_bytes())
            .map_err(|_| bad("it is no private key in PEM".to_owned()))?;
        let pair = match &der {
            PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der()),
            PrivateKeyDer::Pkcs8(der) => RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()),
            _ => return Err(bad("it is no RSA key".to_owned())),
        }
        .map_err(|error| bad(error.to_string()))?;
        // A minute back: the clocks of two machines never agree.
        let claims = serde_json::json!({"iat": now - 60, "exp": now + 540, "iss": self.id});
        let text = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(br#"{"alg":"RS256","typ":"JWT"}"#),
            URL_SAFE_NO_PAD.encode(claims.to_string())
        );
        let mut signature = vec![0; pair.public().modulus_len()];
        pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature)
            .map_err(|_| bad("it does not sign".to_owned()))?;
        Ok(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature)).into())
    }
}
