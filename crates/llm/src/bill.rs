//! Bill: what a call may cost before it is made, and what it did cost afterwards, from a usage block that may be
//! missing or wrong. Pure arithmetic; it rounds against the budget, never in its favour.

use kaizen_domain::{Spend, Tokens, Usd};
use serde_json::Value;

use crate::budget::Amount;
use crate::prompt::Prompt;
use crate::provider::Provider;
use crate::tokens::{Tokenizer, estimate_tokens};

/// Tokens that the frame around the messages costs: roles, separators and what the provider adds for a schema.
const FRAME_TOKENS: u64 = 64;
/// The most that a provider's own frame can cost.
const MOST_FRAME_TOKENS: u64 = 1_000;

/// Where the numbers of a bill come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Billing {
    /// From the provider, and plausible.
    Reported,
    /// The provider did not say: estimated from the size of question and answer.
    Estimated,
    /// The provider said something impossible: counted as the most it could have been. Worth an alarm.
    Disbelieved,
}

/// What a call may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Estimate {
    /// Tokens of the question: exact where the model's tokenizer is known, a safe estimate otherwise.
    pub input: Tokens,
    /// More tokens than this the question cannot have: no tokenizer makes more than one of a byte.
    pub most_input: Tokens,
    /// Tokens of the longest answer.
    pub output: Tokens,
    /// The most tokens both ways, at the provider's prices.
    pub usd: Usd,
}

impl Estimate {
    /// The estimate for a prompt.
    #[must_use]
    pub fn of(provider: &Provider, prompt: &Prompt) -> Self {
        let tokenizer = provider.tokenizer();
        let schema = prompt.schema.as_ref().map(|schema| schema.json.to_string()).unwrap_or_default();
        let texts = [prompt.system.as_str(), prompt.user.as_str(), schema.as_str()];
        let count: u64 = texts.iter().map(|text| tokenizer.count(text).0).sum();
        let bytes: u64 = texts.iter().map(|text| text.len() as u64).sum();
        let most = if tokenizer == Tokenizer::Unknown { bytes } else { count };
        let input = Tokens(count.saturating_add(FRAME_TOKENS));
        let most_input = Tokens(most.saturating_add(MOST_FRAME_TOKENS));
        let output = Tokens(provider.max_output_tokens);
        Self { input, most_input, output, usd: price(provider, most_input, Tokens(0), output) }
    }

    /// As an amount to set aside.
    #[must_use]
    pub fn amount(self) -> Amount {
        Amount::from(self.spend())
    }

    /// The most it can be, as if all of it had been spent.
    #[must_use]
    pub fn spend(self) -> Spend {
        Spend { input: self.most_input, output: self.output, usd: self.usd, ..Spend::default() }
    }

    /// Tokens of question and longest answer, as they count against the model's context.
    #[must_use]
    pub fn context(self) -> Tokens {
        Tokens(self.input.0.saturating_add(self.output.0))
    }
}

/// The price of these tokens, rounded up to a whole millionth of a dollar. `cached` of `input` were in the cache.
#[must_use]
pub fn price(provider: &Provider, input: Tokens, cached: Tokens, output: Tokens) -> Usd {
    let part = |tokens: u64, per_million: Usd| (u128::from(tokens) * u128::from(per_million.0)).div_ceil(1_000_000);
    let full = provider.price_input_per_million;
    let cached = cached.min(input);
    let sum = part(input.0 - cached.0, full)
        .saturating_add(part(cached.0, provider.price_cached_per_million.unwrap_or(full)))
        .saturating_add(part(output.0, provider.price_output_per_million));
    Usd(u64::try_from(sum).unwrap_or(u64::MAX))
}

/// What a call is booked at, from the usage block of its answer and the text that was received. It is never more than
/// the estimate: what a provider says beyond that cannot be, and counts as the most it can be.
#[must_use]
pub fn bill(provider: &Provider, estimate: Estimate, usage: Option<&Value>, received: &str) -> (Spend, Billing) {
    let count = |name: &str| usage.and_then(|usage| usage.get(name)).and_then(Count::read);
    let input = count("prompt_tokens").unwrap_or(Count::Missing);
    let output = count("completion_tokens").unwrap_or(Count::Missing);
    let absurd = |count: Count, most: Tokens| match count {
        Count::Impossible => true,
        Count::Is(tokens) => tokens > most.0,
        Count::Missing => false,
    };
    if absurd(input, estimate.most_input) || absurd(output, estimate.output) {
        return (estimate.spend(), Billing::Disbelieved);
    }
    // A question of no tokens does not exist, and neither does a text: such a zero means "not counted".
    let input = match input {
        Count::Is(tokens) if tokens > 0 => Some(Tokens(tokens)),
        _ => None,
    };
    let output = match output {
        Count::Is(tokens) if tokens > 0 || received.is_empty() => Some(Tokens(tokens)),
        _ => None,
    };
    let reported = input.is_some() && output.is_some();
    let billing = if reported { Billing::Reported } else { Billing::Estimated };
    // A share of the cache is believed only beside a count that is.
    let cached = if reported { usage.map_or(0, cached) } else { 0 };
    let input = input.unwrap_or(estimate.input);
    let cached = Tokens(cached).min(input);
    let output = output.unwrap_or_else(|| estimate_tokens(received).min(estimate.output));
    (Spend { input, cached, output, usd: price(provider, input, cached, output) }, billing)
}

/// How many tokens of the question came from the provider's cache; each provider has its own name for it.
fn cached(usage: &Value) -> u64 {
    let known = ["/prompt_tokens_details/cached_tokens", "/prompt_cache_hit_tokens", "/cache_read_input_tokens"];
    known.iter().find_map(|path| usage.pointer(path)?.as_u64()).unwrap_or(0)
}

/// A count as some provider wrote it.
#[derive(Clone, Copy)]
enum Count {
    Is(u64),
    Missing,
    Impossible,
}

impl Count {
    fn read(value: &Value) -> Option<Self> {
        Some(match value {
            Value::Null => Self::Missing,
            Value::Number(number) => match (number.as_u64(), number.as_f64()) {
                (Some(count), _) => Self::Is(count),
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be in range")]
                (None, Some(count)) if (0.0..1e15).contains(&count) => Self::Is(count.ceil() as u64),
                _ => Self::Impossible,
            },
            _ => Self::Impossible,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn provider() -> Provider {
        Provider {
            price_input_per_million: Usd(3_000_000),
            price_output_per_million: Usd(15_000_000),
            max_output_tokens: 1_000,
            ..Provider::default()
        }
    }

    fn booked(usage: Option<Value>) -> (Spend, Billing) {
        let prompt = Prompt { user: "a".repeat(1_000), ..Prompt::default() };
        let estimate = Estimate::of(&provider(), &prompt);
        bill(&provider(), estimate, usage.as_ref(), &"b".repeat(100))
    }

    #[test]
    fn prices_are_exact_and_round_up() {
        assert_eq!(price(&provider(), Tokens(1_000_000), Tokens(0), Tokens(0)), Usd(3_000_000));
        let odd = Provider { price_input_per_million: Usd(1), ..Provider::default() };
        assert_eq!(price(&odd, Tokens(1), Tokens(0), Tokens(0)), Usd(1));
        assert_eq!(price(&provider(), Tokens(u64::MAX), Tokens(0), Tokens(u64::MAX)), Usd(u64::MAX));
    }

    #[test]
    fn a_plausible_bill_is_booked_as_it_is() {
        let (spend, billing) = booked(Some(json!({ "prompt_tokens": 250, "completion_tokens": 25 })));
        assert_eq!((spend.input, spend.output, spend.usd), (Tokens(250), Tokens(25), Usd(750 + 375)));
        assert_eq!(billing, Billing::Reported);
    }

    #[test]
    fn a_missing_bill_is_estimated_from_the_sizes() {
        for usage in
            [None, Some(json!(null)), Some(json!({})), Some(json!({ "prompt_tokens": 0, "completion_tokens": 0 }))]
        {
            let (spend, billing) = booked(usage);
            assert_eq!((spend.input, spend.output), (Tokens(564), Tokens(50)));
            assert_eq!(billing, Billing::Estimated);
        }
    }

    #[test]
    fn an_impossible_bill_is_booked_as_the_most_it_could_be() {
        for usage in [
            json!({ "prompt_tokens": -5, "completion_tokens": 5 }),
            json!({ "prompt_tokens": 250, "completion_tokens": 1_001 }),
            json!({ "prompt_tokens": 2_001, "completion_tokens": 5 }),
            json!({ "prompt_tokens": "many", "completion_tokens": 5 }),
            json!({ "prompt_tokens": 1e300, "completion_tokens": 5 }),
        ] {
            let (spend, billing) = booked(Some(usage));
            assert_eq!((spend.input, spend.output), (Tokens(2_000), Tokens(1_000)));
            assert_eq!(billing, Billing::Disbelieved);
        }
    }

    #[test]
    fn what_was_in_the_cache_has_its_own_price_however_the_provider_says_it() {
        let provider = Provider { price_cached_per_million: Some(Usd(300_000)), ..provider() };
        let prompt = Prompt { user: "a".repeat(1_000), ..Prompt::default() };
        let estimate = Estimate::of(&provider, &prompt);
        for (said, cached) in [
            (json!({ "prompt_tokens_details": { "cached_tokens": 200 } }), 200),
            (json!({ "prompt_cache_hit_tokens": 200 }), 200),
            (json!({ "prompt_tokens_details": { "cached_tokens": 9_000 } }), 250),
            (json!({ "prompt_tokens_details": { "cached_tokens": -1 } }), 0),
        ] {
            let mut usage = json!({ "prompt_tokens": 250, "completion_tokens": 25 });
            usage.as_object_mut().unwrap().extend(said.as_object().unwrap().clone());
            let (spend, _) = bill(&provider, estimate, Some(&usage), "text");
            assert_eq!(spend.cached, Tokens(cached));
            let tenth_of_millionths = (250 - cached) * 30 + cached * 3 + 25 * 150;
            assert_eq!(spend.usd, Usd(tenth_of_millionths.div_ceil(10)), "{usage}");
        }
    }
}
