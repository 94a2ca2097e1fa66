//! What can go wrong with a call to a model, in words that a person can act on. It owns no secret: what a server said
//! passes through the redaction before it gets in here.

use std::fmt;
use std::time::Duration;

use kaizen_domain::Millis;
use thiserror::Error;

use crate::budget::BudgetError;

/// A deadline of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deadline {
    /// No connection.
    Connect,
    /// No answer began.
    FirstByte,
    /// The answer stopped coming.
    Idle,
    /// The answer took too long as a whole.
    Total,
}

impl fmt::Display for Deadline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "no connection",
            Self::FirstByte => "no answer",
            Self::Idle => "the answer stopped coming",
            Self::Total => "the answer was not complete",
        })
    }
}

/// Why there is no answer from a model.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ModelError {
    /// The provider as configured cannot be used.
    #[error("the model provider cannot be used: {what}")]
    BadProvider {
        /// What is wrong and what would be right.
        what: String,
    },
    /// No connection came about.
    #[error("{url} cannot be reached: {cause}; is the server running?")]
    Refused {
        /// The provider's address.
        url: String,
        /// What the system said.
        cause: String,
    },
    /// No connection can come about as things are configured: an unknown host, a bad certificate, a proxy that refuses.
    #[error("{url} cannot be used: {cause}; check the address, its certificate and the proxy")]
    Unreachable {
        /// The provider's address.
        url: String,
        /// What is in the way.
        cause: String,
    },
    /// The connection broke before the answer was complete.
    #[error("the connection to {url} broke in the middle of an answer: {cause}")]
    Cut {
        /// The provider's address.
        url: String,
        /// What the system said.
        cause: String,
    },
    /// A deadline passed.
    #[error("{which} within {}; raise the deadline of the provider if the model is slow", Millis::from_duration(*.limit))]
    Timeout {
        /// Which.
        which: Deadline,
        /// How long it was.
        limit: Duration,
    },
    /// The provider answered with a status other than success.
    #[error("the model provider answered {code}: {message}{}", way_out(*.code))]
    Status {
        /// The HTTP status.
        code: u16,
        /// What it said, shortened and redacted.
        message: String,
        /// How long it asked to be left alone, when it did.
        retry_after: Option<Duration>,
    },
    /// The account with the provider has no money or quota left.
    #[error("the model provider answered {code}: {message}; the account has no credit left")]
    NoCredit {
        /// The HTTP status.
        code: u16,
        /// What it said, shortened and redacted.
        message: String,
    },
    /// What came is not the answer of a model: a web page, or JSON that ends in the middle.
    #[error("what came is not the answer of a model: {excerpt}; check the address of the provider")]
    NotAnAnswer {
        /// Its beginning, shortened and redacted.
        excerpt: String,
    },
    /// The answer has more bytes than any answer should.
    #[error("the answer has more than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// The model had to stop at its limit of tokens: what came is only a part, and is not used.
    #[error("the answer was cut at {limit} tokens; raise `max_output_tokens` or ask for less")]
    Truncated {
        /// The limit in tokens.
        limit: u64,
    },
    /// The model said nothing.
    #[error("the model gave an empty answer")]
    Empty,
    /// The model, or a filter of its provider, refused to answer.
    #[error("the model declined to answer: {reason}")]
    Declined {
        /// What it said.
        reason: String,
    },
    /// The provider has failed too often of late; nothing was sent.
    #[error("the model provider has failed too often; it is tried again in {}", Millis::from_duration(*.wait))]
    BreakerOpen {
        /// How long until the next call may go through.
        wait: Duration,
    },
    /// Question and answer do not fit the model's context; nothing was sent.
    #[error("the question needs up to {tokens} tokens of the model's {context}; send fewer or smaller files")]
    TooLong {
        /// What question and answer may need.
        tokens: u64,
        /// What the model can hold.
        context: u64,
    },
    /// The budget does not allow the call; nothing was sent.
    #[error(transparent)]
    Budget(#[from] BudgetError),
}

impl ModelError {
    /// Whether the same call may well work a little later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Refused { .. } | Self::Cut { .. } | Self::Timeout { .. } => true,
            Self::Status { code, .. } => matches!(code, 408 | 425 | 429 | 500 | 502..=504 | 506..),
            _ => false,
        }
    }

    /// Whether it says that the provider is not well, so that calls to it should pause. An answer that is refused,
    /// cut by its limit or empty comes from a provider that works.
    pub(crate) fn is_failure_of_provider(&self) -> bool {
        self.is_transient()
            || matches!(self, Self::NotAnAnswer { .. } | Self::TooLarge { .. } | Self::Unreachable { .. })
            || matches!(self, Self::NoCredit { .. } | Self::Status { code: 401 | 403 | 501.., .. })
    }

    /// Whether another model, or the same elsewhere, may well answer the same question.
    #[must_use]
    pub fn is_of_this_model(&self) -> bool {
        // A cheaper one may fit into what is left.
        !matches!(self, Self::Budget(BudgetError::Unwritten { .. }))
    }

    /// Whether the provider may have billed the call although no usable answer came, and nobody knows how much.
    pub(crate) fn may_be_billed(&self) -> bool {
        match self {
            Self::Timeout { which, .. } => *which != Deadline::Connect,
            Self::Cut { .. } | Self::NotAnAnswer { .. } | Self::TooLarge { .. } => true,
            // Somebody in between lost patience with a model that was at work.
            Self::Status { code: 504 | 524, .. } => true,
            _ => false,
        }
    }
}

fn way_out(code: u16) -> &'static str {
    match code {
        401 | 403 => "; check the key",
        404 => "; check the address and the name of the model",
        429 => "; the rate or the quota is used up",
        _ => "",
    }
}
