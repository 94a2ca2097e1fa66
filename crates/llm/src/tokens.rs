//! Tokens: how many a text has. Exact for models whose tokenizer is published, and an estimate that real tokenizers stay
//! below on prose and code for all others.
//!
//! The tables of a tokenizer are large; they are read once, when the first text is counted with it.

use kaizen_domain::Tokens;

/// How a model cuts text into tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tokenizer {
    /// `o200k_base`, of OpenAI's models since 2024.
    O200k,
    /// `cl100k_base`, of OpenAI's models before that.
    Cl100k,
    /// Not published, or not known here.
    Unknown,
}

impl Tokenizer {
    /// The tokenizer of a model, by its name; a gateway's prefix such as `openai/` does not matter.
    #[must_use]
    pub fn of(model: &str) -> Self {
        let name = model.rsplit('/').next().unwrap_or(model).to_ascii_lowercase();
        let begins = |with: &[&str]| with.iter().any(|start| name.starts_with(start));
        if begins(&["gpt-4o", "gpt-4.1", "gpt-4.5", "gpt-5", "chatgpt-4o", "o1", "o3", "o4", "gpt-oss"]) {
            Self::O200k
        } else if begins(&["gpt-4", "gpt-3.5"]) {
            Self::Cl100k
        } else {
            Self::Unknown
        }
    }

    /// How many tokens a text has.
    #[must_use]
    pub fn count(self, text: &str) -> Tokens {
        let exact = match self {
            Self::O200k => tiktoken_rs::o200k_base_singleton().encode_ordinary(text).len(),
            Self::Cl100k => tiktoken_rs::cl100k_base_singleton().encode_ordinary(text).len(),
            Self::Unknown => return estimate_tokens(text),
        };
        Tokens(u64::try_from(exact).unwrap_or(u64::MAX))
    }

    /// What people call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::O200k => "o200k_base",
            Self::Cl100k => "cl100k_base",
            Self::Unknown => "estimated",
        }
    }
}

/// How many tokens a text has at most, going by its bytes: one for two bytes of ASCII, one for each other byte.
/// Real tokenizers stay below on prose and code; rare scripts come close.
#[must_use]
pub fn estimate_tokens(text: &str) -> Tokens {
    let ascii = text.bytes().filter(u8::is_ascii).count();
    let other = text.len() - ascii;
    Tokens(u64::try_from(ascii.div_ceil(2) + other).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn estimates_grow_with_the_text_and_count_rare_scripts_by_the_byte() {
        assert_eq!(estimate_tokens(""), Tokens(0));
        assert_eq!(estimate_tokens("abc"), Tokens(2));
        assert_eq!(estimate_tokens("日本"), Tokens(6));
    }

    #[test]
    fn published_tokenizers_are_used_and_stay_below_the_estimate_on_code() {
        assert_eq!(Tokenizer::of("openai/gpt-5-mini"), Tokenizer::O200k);
        assert_eq!(Tokenizer::of("gpt-4-turbo"), Tokenizer::Cl100k);
        assert_eq!(Tokenizer::of("qwen3-coder:30b"), Tokenizer::Unknown);
        // The number that OpenAI's own cookbook gives for this sentence.
        assert_eq!(Tokenizer::Cl100k.count("tiktoken is great!"), Tokens(6));
        let code = include_str!("tokens.rs");
        for tokenizer in [Tokenizer::O200k, Tokenizer::Cl100k] {
            let exact = tokenizer.count(code);
            assert!(exact.0 > 300 && exact < estimate_tokens(code), "{exact:?}");
        }
    }

    #[test]
    fn marks_of_a_tokenizer_in_a_text_are_only_text() {
        assert!(Tokenizer::O200k.count("<|endoftext|>").0 > 1);
    }
}
