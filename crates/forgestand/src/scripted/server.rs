//! The scripted forge's server: axum in front, then what is the same for every dialect (who asks, how many requests
//! are left, ETags), and the dialect for the rest.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::{Body, to_bytes};
use axum::http::{Request, Response};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::state::{Dialect, Rate, Refusal, Seen, State};
use super::{forgejo, github, gitlab};

/// The largest request body that is read.
const MAX_BODY: usize = 16 * 1024 * 1024;

/// A request, taken apart.
#[derive(Debug)]
pub(crate) struct Call {
    pub method: String,
    /// The parts of the path after the dialect's prefix, decoded.
    pub path: Vec<String>,
    pub query: BTreeMap<String, String>,
    pub body: Value,
    /// Such as `http://127.0.0.1:4242`, as the client called it.
    pub base: String,
    /// The path with its query.
    pub target: String,
    pub login: Option<String>,
    pub accept: String,
}

impl Call {
    pub fn who(&self) -> Option<&str> {
        self.login.as_deref()
    }

    pub fn text(&self, key: &str) -> Option<String> {
        self.body
            .get(key)
            .and_then(Value::as_str)
            .or_else(|| self.query.get(key).map(String::as_str))
            .map(str::to_owned)
    }

    pub fn flag(&self, key: &str) -> Option<bool> {
        self.body.get(key).and_then(Value::as_bool).or_else(|| self.query.get(key).map(|value| value == "true"))
    }

    /// A list of words, or one text of words between commas.
    pub fn words(&self, key: &str) -> Option<Vec<String>> {
        match self.body.get(key) {
            Some(Value::Array(words)) => Some(words.iter().filter_map(Value::as_str).map(str::to_owned).collect()),
            Some(Value::String(words)) => Some(words.split(',').map(|word| word.trim().to_owned()).collect()),
            _ => None,
        }
    }

    /// The page that is asked for of a list, with the headers that say where the others are.
    pub fn page(&self, items: Vec<Value>, size_key: &str, usual: usize, most: usize) -> Answer {
        let number = |key: &str| self.query.get(key).and_then(|number| number.parse::<usize>().ok());
        let size = number(size_key).unwrap_or(usual).clamp(1, most);
        let page = number("page").unwrap_or(1).max(1);
        let (total, last) = (items.len(), items.len().div_ceil(size).max(1));
        let shown: Vec<Value> = items.into_iter().skip((page - 1) * size).take(size).collect();
        let path = self.target.split('?').next().unwrap_or_default();
        let link = |to: usize, rel: &str| {
            let others = self.query.iter().filter(|(key, _)| *key != "page");
            let others: String = others.map(|(key, value)| format!("{}={}&", encode(key), encode(value))).collect();
            format!("<{}{path}?{others}page={to}>; rel=\"{rel}\"", self.base)
        };
        let mut links = Vec::new();
        if page > 1 {
            links.extend([link(page - 1, "prev"), link(1, "first")]);
        }
        if page < last {
            links.extend([link(page + 1, "next"), link(last, "last")]);
        }
        let mut answer = Answer::json(200, Value::Array(shown));
        if !links.is_empty() {
            answer.headers.push(("link".to_owned(), links.join(", ")));
        }
        answer.headers.push(("x-total-count".to_owned(), total.to_string()));
        answer.headers.push(("x-total".to_owned(), total.to_string()));
        answer.headers.push(("x-page".to_owned(), page.to_string()));
        answer.headers.push(("x-per-page".to_owned(), size.to_string()));
        answer.headers.push(("x-total-pages".to_owned(), last.to_string()));
        let next = if page < last { (page + 1).to_string() } else { String::new() };
        answer.headers.push(("x-next-page".to_owned(), next));
        answer
    }
}

/// What is answered.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(status: u16, body: Value) -> Self {
        let headers = vec![("content-type".to_owned(), "application/json; charset=utf-8".to_owned())];
        Self { status, headers, body: body.to_string().into_bytes() }
    }

    pub fn text(body: String) -> Self {
        let headers = vec![("content-type".to_owned(), "text/plain; charset=utf-8".to_owned())];
        Self { status: 200, headers, body: body.into_bytes() }
    }

    pub fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }
}

pub(crate) fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Answers a request: axum's handler for every path.
pub(crate) async fn handle(state: Arc<Mutex<State>>, request: Request<Body>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_BODY).await else { return respond(Answer::empty(413)) };
    let headers: BTreeMap<String, String> = parts
        .headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
        .collect();
    let target = parts.uri.path_and_query().map_or_else(String::new, ToString::to_string);
    let method = parts.method.to_string();
    // git runs in there, so that it does not hold up other connections.
    let answer = tokio::task::spawn_blocking(move || answer(&state, &method, &target, &headers, &body)).await;
    respond(answer.unwrap_or_else(|_| Answer::json(500, json!({ "message": "the scripted forge panicked" }))))
}

fn respond(answer: Answer) -> Response<Body> {
    let mut response = Response::builder().status(answer.status);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    response.body(Body::from(answer.body)).unwrap_or_default()
}

fn answer(state: &Mutex<State>, method: &str, target: &str, headers: &BTreeMap<String, String>, body: &[u8]) -> Answer {
    let header = |name: &str| headers.get(name).map(String::as_str);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut parts: Vec<String> = path.split('/').skip(1).filter(|part| !part.is_empty()).map(decode).collect();
    let dialect = match parts.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["api", "v4", ..] => Dialect::GitLab,
        ["api", "v1", ..] => Dialect::Forgejo,
        _ => Dialect::GitHub,
    };
    if dialect != Dialect::GitHub {
        parts.drain(..2);
    }
    let form = header("content-type").is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    let mut call = Call {
        method: method.to_owned(),
        path: parts,
        query: pairs(query),
        body: if form { json!(pairs(&String::from_utf8_lossy(body))) } else { read(body) },
        base: format!("http://{}", header("x-forwarded-host").or(header("host")).unwrap_or("127.0.0.1")),
        target: target.to_owned(),
        login: None,
        accept: header("accept").unwrap_or_default().to_owned(),
    };
    let mut state = lock(state);
    state.refresh();
    let token = token(dialect, header("authorization"), header("private-token"));
    call.login = token.and_then(|token| state.tokens.get(token).cloned());
    let mut answer = match token {
        _ if is_over(&mut state, dialect, &call) => too_many(dialect),
        Some(token) if call.login.is_none() && is_app_call(&call) => github::installation(&mut state, &call, token),
        Some(_) if call.login.is_none() => refuse(dialect, &Refusal::Unauthorized, &call),
        _ => answer_known(&mut state, dialect, &call),
    };
    if method == "GET" && answer.status == 200 && dialect != Dialect::Forgejo {
        let tag = format!("W/\"{}\"", hex::encode(Sha256::digest(&answer.body)));
        if header("if-none-match").is_some_and(|tags| tags.split(',').any(|known| known.trim() == tag)) {
            answer = Answer { status: 304, body: Vec::new(), ..answer };
        }
        answer.headers.push(("etag".to_owned(), tag));
    }
    charge(&mut state, dialect, &call, &mut answer);
    let login = call.login.unwrap_or_default();
    let seen = Seen { method: method.to_owned(), target: target.to_owned(), login, status: answer.status };
    state.requests.push(seen);
    answer
}

fn answer_known(state: &mut State, dialect: Dialect, call: &Call) -> Answer {
    let done = match dialect {
        Dialect::GitHub => github::answer(state, call),
        Dialect::GitLab => gitlab::answer(state, call),
        Dialect::Forgejo => forgejo::answer(state, call),
    };
    done.unwrap_or_else(|refusal| {
        // Who says nothing about himself is asked who he is.
        let nobody = call.login.is_none() && refusal == Refusal::Forbidden;
        refuse(dialect, if nobody { &Refusal::Unauthorized } else { &refusal }, call)
    })
}

fn refuse(dialect: Dialect, refusal: &Refusal, call: &Call) -> Answer {
    match dialect {
        Dialect::GitHub => github::refuse(refusal, call),
        Dialect::GitLab => gitlab::refuse(refusal),
        Dialect::Forgejo => forgejo::refuse(refusal, call),
    }
}

/// Whether the caller has used up its requests. Forgejo has no limit of its own.
fn is_over(state: &mut State, dialect: Dialect, call: &Call) -> bool {
    let Some((limit, window)) = state.limit.filter(|_| dialect != Dialect::Forgejo) else { return false };
    let seconds = jiff::Timestamp::now().as_second();
    let fresh = Rate { limit, used: 0, reset: seconds + window };
    let rate = state.rates.entry(call.login.clone().unwrap_or_default()).or_insert(fresh);
    if seconds >= rate.reset {
        *rate = fresh;
    }
    rate.used >= rate.limit && call.path != ["rate_limit"]
}

fn too_many(dialect: Dialect) -> Answer {
    if dialect == Dialect::GitLab {
        return Answer { status: 429, headers: Vec::new(), body: b"Retry later\n".to_vec() };
    }
    let said = json!({
        "message": "API rate limit exceeded for user ID 1.",
        "documentation_url": "https://docs.github.com/rest/overview/rate-limits-for-the-rest-api",
    });
    Answer::json(403, said)
}

/// Counts the request and says what is left. GitHub does not count a 304.
fn charge(state: &mut State, dialect: Dialect, call: &Call, answer: &mut Answer) {
    let Some(rate) = state.rates.get_mut(call.who().unwrap_or_default()).filter(|_| dialect != Dialect::Forgejo) else {
        return;
    };
    let free = dialect == Dialect::GitHub && (answer.status == 304 || call.path == ["rate_limit"]);
    let over = rate.used >= rate.limit && !free;
    if !free && !over {
        rate.used += 1;
    }
    let (prefix, used) = match dialect {
        Dialect::GitHub => ("x-ratelimit-", "used"),
        _ => ("ratelimit-", "observed"),
    };
    let mut say = |name: &str, value: String| answer.headers.push((format!("{prefix}{name}"), value));
    say("limit", rate.limit.to_string());
    say("remaining", (rate.limit - rate.used).to_string());
    say("reset", rate.reset.to_string());
    say(used, rate.used.to_string());
    if dialect == Dialect::GitHub {
        say("resource", "core".to_owned());
    } else if over {
        let wait = (rate.reset - jiff::Timestamp::now().as_second()).max(1);
        answer.headers.push(("retry-after".to_owned(), wait.to_string()));
    }
}

fn token<'a>(dialect: Dialect, authorization: Option<&'a str>, private: Option<&'a str>) -> Option<&'a str> {
    let private = private.filter(|_| dialect == Dialect::GitLab);
    let bearer = || {
        let (scheme, token) = authorization?.split_once(' ')?;
        let plain = scheme.eq_ignore_ascii_case("token") && dialect != Dialect::GitLab;
        (plain || scheme.eq_ignore_ascii_case("bearer")).then(|| token.trim())
    };
    private.or_else(bearer)
}

fn is_app_call(call: &Call) -> bool {
    call.path.first().is_some_and(|first| first == "app")
}

fn read(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or(Value::Null)
}

fn pairs(query: &str) -> BTreeMap<String, String> {
    let pair = |pair: &str| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(&key.replace('+', " ")), decode(&value.replace('+', " ")))
    };
    query.split('&').filter(|part| !part.is_empty()).map(pair).collect()
}

/// Undoes percent-encoding.
pub(crate) fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = after.get(..2).and_then(|code| std::str::from_utf8(code).ok());
        let code = code.filter(|_| *first == b'%').and_then(|code| u8::from_str_radix(code, 16).ok());
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Percent-encodes what has a meaning in a URL.
pub(crate) fn encode(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
