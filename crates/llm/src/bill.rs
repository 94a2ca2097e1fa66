//! Bill: what a call may cost before it is made, and what it did cost afterwards, from a usage block that may be
//! missing or wrong. Pure arithmetic; it rounds against the budget, never in its favour.

use kaizen_domain::{Spend, Tokens, Usd};
use serde_json::Value;

use crate::budget::Amount;
use crate::provider::Provider;

/// Tokens that the frame around the messages costs: roles, separators and what the provider adds for a schema.
const FRAME_TOKENS: u64 = 64;
/// A count this many times the estimate is not believed.
const ABSURD: u64 = 10;

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

/// What a call may cost at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Estimate {
    /// Tokens of the question.
    pub input: Tokens,
    /// Tokens of the longest answer.
    pub output: Tokens,
    /// Both at the provider's prices.
    pub usd: Usd,
}

impl Estimate {
    /// The estimate for a question of these texts.
    #[must_use]
    pub fn of<'a>(provider: &Provider, texts: impl IntoIterator<Item = &'a str>) -> Self {
        let input: u64 = texts.into_iter().map(|text| estimate_tokens(text).0).sum();
        let input = Tokens(input.saturating_add(FRAME_TOKENS));
        let output = Tokens(provider.max_output_tokens);
        Self { input, output, usd: price(provider, input, output) }
    }

    /// As an amount to set aside.
    #[must_use]
    pub fn amount(self) -> Amount {
        Amount::from(self.spend())
    }

    /// As if all of it had been spent.
    #[must_use]
    pub fn spend(self) -> Spend {
        Spend { input: self.input, output: self.output, usd: self.usd }
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

/// The price of these tokens, rounded up to a whole millionth of a dollar.
#[must_use]
pub fn price(provider: &Provider, input: Tokens, output: Tokens) -> Usd {
    let part =
        |tokens: Tokens, per_million: Usd| (u128::from(tokens.0) * u128::from(per_million.0)).div_ceil(1_000_000);
    let sum =
        part(input, provider.price_input_per_million).saturating_add(part(output, provider.price_output_per_million));
    Usd(u64::try_from(sum).unwrap_or(u64::MAX))
}

/// What a call is booked at, from the usage block of its answer and the text that was received.
#[must_use]
pub fn bill(provider: &Provider, estimate: Estimate, usage: Option<&Value>, received: &str) -> (Spend, Billing) {
    let count = |name: &str| usage.and_then(|usage| usage.get(name)).and_then(Count::read);
    let input = count("prompt_tokens").unwrap_or(Count::Missing);
    let output = count("completion_tokens").unwrap_or(Count::Missing);
    let absurd = |count: Count, estimate: Tokens| match count {
        Count::Impossible => true,
        Count::Is(tokens) => tokens > estimate.0.saturating_mul(ABSURD),
        Count::Missing => false,
    };
    if absurd(input, estimate.input) || absurd(output, estimate.output) {
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
    let billing = if input.is_some() && output.is_some() { Billing::Reported } else { Billing::Estimated };
    let input = input.unwrap_or(estimate.input);
    let output = output.unwrap_or_else(|| estimate_tokens(received).min(estimate.output));
    (Spend { input, output, usd: price(provider, input, output) }, billing)
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
        let estimate = Estimate::of(&provider(), ["a".repeat(1_000).as_str()]);
        bill(&provider(), estimate, usage.as_ref(), &"b".repeat(100))
    }

    #[test]
    fn prices_are_exact_and_round_up() {
        assert_eq!(price(&provider(), Tokens(1_000_000), Tokens(0)), Usd(3_000_000));
        let odd = Provider { price_input_per_million: Usd(1), ..Provider::default() };
        assert_eq!(price(&odd, Tokens(1), Tokens(0)), Usd(1));
        assert_eq!(price(&provider(), Tokens(u64::MAX), Tokens(u64::MAX)), Usd(u64::MAX));
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
            json!({ "prompt_tokens": 250, "completion_tokens": 10_001 }),
            json!({ "prompt_tokens": 5_641, "completion_tokens": 5 }),
            json!({ "prompt_tokens": "many", "completion_tokens": 5 }),
            json!({ "prompt_tokens": 1e300, "completion_tokens": 5 }),
        ] {
            let (spend, billing) = booked(Some(usage));
            assert_eq!((spend.input, spend.output), (Tokens(564), Tokens(1_000)));
            assert_eq!(billing, Billing::Disbelieved);
        }
    }

    #[test]
    fn estimates_grow_with_the_text_and_count_rare_scripts_by_the_byte() {
        assert_eq!(estimate_tokens(""), Tokens(0));
        assert_eq!(estimate_tokens("abc"), Tokens(2));
        assert_eq!(estimate_tokens("日本"), Tokens(6));
    }
}
