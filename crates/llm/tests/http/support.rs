//! What the tests over HTTP share: a clock that moves only when somebody sleeps by it, and a provider that points at a
//! scripted model. It holds no test.

use std::sync::Arc;
use std::time::Duration;

use kaizen_domain::Usd;
use kaizen_llm::clock::{Clock, HandClock};
use kaizen_llm::{Client, Deadlines, Prompt, Provider};
use kaizen_testkit::scripted_model::ScriptedModel;

/// The key that must never be seen anywhere but in its header.
pub const KEY: &str = "kz-very-secret-key-0123456789";

/// A provider at this address, with prices of 1 and 10 millionths of a dollar a token.
pub fn provider(base_url: String) -> Provider {
    Provider {
        base_url,
        key: Some(KEY.into()),
        model: "tester".to_owned(),
        price_input_per_million: Usd(1_000_000),
        price_output_per_million: Usd(10_000_000),
        max_output_tokens: 1_000,
        ..Provider::default()
    }
}

/// Deadlines that pass quickly where a test waits for one, and never where it does not.
pub fn deadlines(first_byte: u64, idle: u64, total: u64) -> Deadlines {
    Deadlines {
        first_byte: Duration::from_millis(first_byte),
        idle: Duration::from_millis(idle),
        total: Duration::from_millis(total),
        ..Deadlines::default()
    }
}

pub const LONG: u64 = 60_000;

/// A client of this server and the clock it goes by.
pub fn client_of(server: &ScriptedModel) -> (Client, Arc<HandClock>) {
    client_with(provider(server.base_url()))
}

pub fn client_with(provider: Provider) -> (Client, Arc<HandClock>) {
    let clock = Arc::new(HandClock::default());
    (Client::with_clock(provider, Arc::clone(&clock) as Arc<dyn Clock>).expect("a provider that can be used"), clock)
}

pub fn prompt() -> Prompt {
    Prompt { system: "rules".to_owned(), user: "question".to_owned(), ..Prompt::default() }
}
