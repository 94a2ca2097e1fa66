//! The running daemon as `kaizen status` shows it: asked over HTTP at the address of the settings.

use std::time::Duration;

use futures::StreamExt as _;
use kaizen_domain::Millis;
use kaizen_settings::{DaemonSettings, Layer, Origin, load};
use serde_json::Value;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{self, say};
use crate::session::SessionOptions;
use crate::state_dir;
use crate::story::lines::shown;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// Where the daemon answers, as a person's own settings say.
pub(crate) fn address(options: &SessionOptions) -> DaemonSettings {
    let own = options
        .settings_file
        .clone()
        .or_else(state_dir::own_settings)
        .and_then(|path| std::fs::read_to_string(path).ok());
    let layer = own.map(|text| Layer { file: String::new(), text, origin: Origin::Own });
    layer.and_then(|layer| load(&[layer]).ok()).unwrap_or_default().daemon
}

fn request(settings: &DaemonSettings, path: &str) -> Option<reqwest::RequestBuilder> {
    if settings.listen.is_empty() {
        return None;
    }
    let client =
        reqwest::Client::builder().no_proxy().connect_timeout(PATIENCE).redirect(reqwest::redirect::Policy::none());
    let mut request = client.build().ok()?.get(format!("http://{}{path}", settings.listen));
    let token = match (settings.token_env.as_str(), settings.token_file.as_str()) {
        ("", "") => None,
        ("", file) => std::fs::read_to_string(file).ok(),
        (env, _) => std::env::var(env).ok(),
    };
    if let Some(token) = token {
        request = request.bearer_auth(token.trim());
    }
    Some(request)
}

/// What the daemon says; none when none answers there.
pub(crate) async fn status(settings: &DaemonSettings) -> Option<Value> {
    let answer = request(settings, "/v1/status")?.timeout(PATIENCE).send().await.ok()?;
    let status: Value = answer.json().await.ok()?;
    (status.get("of").and_then(Value::as_str) == Some("daemon")).then_some(status)
}

/// Shows it.
pub(crate) fn show(status: &Value, json: bool) {
    if json {
        return output::json(status);
    }
    let text = |value: &Value, pointer: &str| value.pointer(pointer).and_then(Value::as_str).map(shown);
    let number = |value: &Value, pointer: &str| value.pointer(pointer).and_then(Value::as_u64);
    let now = number(status, "/now").unwrap_or(0);
    let up = Millis(now.saturating_sub(number(status, "/started").unwrap_or(now)));
    let ends = if status.pointer("/stopping").and_then(Value::as_bool) == Some(true) { ", it ends" } else { "" };
    say!("daemon  process {}, up {up}{ends}", number(status, "/pid").unwrap_or(0));
    if let Some(why) = status.pointer("/settings_refused").and_then(Value::as_str) {
        say!("  settings  the file was changed and is refused, the old ones stay");
        why.lines().for_each(|line| say!("            {}", shown(line)));
    }
    for place in status.pointer("/repositories").and_then(Value::as_array).into_iter().flatten() {
        let doing = match (text(place, "/running/0"), number(place, "/running/1"), text(place, "/waits")) {
            (Some(what), Some(since), _) => format!("{what}, for {}", Millis(now.saturating_sub(since))),
            (_, _, Some(why)) => format!("waits: {why}"),
            _ => "idle".to_owned(),
        };
        say!("  {:<20} {doing}", text(place, "/name").unwrap_or_default());
        if let (Some(schedule), Some(at)) = (text(place, "/next/0"), number(place, "/next/1")) {
            let left = at.saturating_sub(now);
            let hours = if left > 7_200_000 { format!("{} h", left / 3_600_000) } else { Millis(left).to_string() };
            say!("  {:<20}   next {schedule} in {hours}", "");
        }
        if let (Some(last), Some(at)) = (text(place, "/last/0"), number(place, "/last/1")) {
            say!("  {:<20}   last {last}, {} ago", "", Millis(now.saturating_sub(at)));
        }
        let words = place.pointer("/words").and_then(Value::as_object).cloned().unwrap_or_default();
        let mut counts: Vec<String> = words.iter().map(|(word, count)| format!("{} {count}", shown(word))).collect();
        let spent = number(place, "/spent_micros").unwrap_or(0);
        if spent > 0 {
            counts.push(format!("${}.{:04}", spent / 1_000_000, spent % 1_000_000 / 100));
        }
        if !counts.is_empty() {
            say!("  {:<20}   since the start: {}", "", counts.join(", "));
        }
        if let Some(trouble) = text(place, "/trouble") {
            say!("  {:<20}   trouble: {}", "", trouble.lines().next().unwrap_or_default());
        }
    }
}

/// Shows what happens, until it is interrupted or the daemon ends.
///
/// # Errors
/// When no daemon answers.
pub(crate) async fn follow(settings: &DaemonSettings, json: bool) -> Result<Exit, Failure> {
    let absent = || {
        Failure::input(
            format!(
                "no daemon answers at {}",
                if settings.listen.is_empty() { "any address" } else { &settings.listen }
            ),
            "start one with `kaizen daemon`, or name its settings with `--settings`",
        )
    };
    match status(settings).await {
        Some(status) => show(&status, json),
        None => return Err(absent()),
    }
    let answer = request(settings, "/v1/events").ok_or_else(absent)?.send().await.map_err(|_| absent())?;
    let mut stream = answer.bytes_stream();
    let mut rest = String::new();
    while let Some(Ok(piece)) = stream.next().await {
        rest.push_str(&String::from_utf8_lossy(&piece));
        while let Some((line, after)) = rest.split_once('\n') {
            if let Some(data) = line.strip_prefix("data: ") {
                tell(data, json);
            }
            rest = after.to_owned();
        }
    }
    say!("the daemon has ended");
    Ok(Exit::Done)
}

fn tell(data: &str, json: bool) {
    if json {
        return output::line(data);
    }
    let Ok(event) = serde_json::from_str::<Value>(data) else { return };
    let text = |name: &str| event.get(name).and_then(Value::as_str).map(shown).unwrap_or_default();
    match event.get("of").and_then(Value::as_str) {
        Some("job") => say!("  {:<20} {} {} {}", text("repository"), text("what"), text("did"), text("said")),
        Some("opened") => {
            say!("  {:<20} opened #{} {}", text("repository"), event.get("number").unwrap_or(&Value::Null), text("url"))
        }
        Some("missed") => say!("  {} events were missed", event.get("events").unwrap_or(&Value::Null)),
        Some("progress") | None => {}
        Some(_) => {
            if let Ok(record) = serde_json::from_value::<kaizen_domain::Record>(event.clone()) {
                say!("  {}", super::log::line(&record.event));
            }
        }
    }
}
