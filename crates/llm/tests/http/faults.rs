//! Providers that fail: each fault is injected over a real connection, and the error must name it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::support::{LONG, client_of, client_with, deadlines, prompt, provider};
use kaizen_llm::breaker::BreakerTerms;
use kaizen_llm::{Budget, Deadline, ModelError, Provider};
use kaizen_testkit::scripted_model::{Reply, ScriptedModel};

#[tokio::test]
async fn retry_after_is_obeyed_in_both_forms_and_capped() {
    for (header, seconds) in [("7", 7), ("Sun, 06 Nov 1994 08:49:49 GMT", 12), ("86400", 30)] {
        let server = ScriptedModel::start([Reply::too_many(header), Reply::text("hello")]);
        let (client, clock) = client_of(&server);
        assert_eq!(client.complete(&prompt()).await.unwrap().text, "hello", "{header}");
        assert_eq!(clock.slept(), [Duration::from_secs(seconds)], "{header}");
    }
}

#[tokio::test]
async fn while_a_provider_asks_for_quiet_nobody_else_calls_it() {
    let server = ScriptedModel::start((0..3).map(|_| Reply::too_many("20")));
    let (client, clock) = client_of(&server);
    let error = client.complete(&prompt()).await.unwrap_err();
    assert!(matches!(error, ModelError::Status { code: 429, .. }), "{error}");
    assert_eq!(server.requests().len(), 3, "one call, two retries");
    clock.advance(Duration::from_secs(19));
    let error = client.complete(&prompt()).await.unwrap_err();
    assert_eq!(error, ModelError::BreakerOpen { wait: Duration::from_secs(1) });
    assert_eq!(server.requests().len(), 3, "nothing was sent");
}

#[tokio::test]
async fn a_server_error_is_tried_again_and_a_client_error_is_not() {
    let server = ScriptedModel::start([Reply::error(500, "oops"), Reply::error(503, "oops"), Reply::text("hello")]);
    let (client, clock) = client_of(&server);
    assert_eq!(client.complete(&prompt()).await.unwrap().text, "hello");
    assert_eq!(clock.slept(), [Duration::from_millis(500), Duration::from_secs(1)], "doubling, with jitter one half");

    for code in [400, 401, 403, 404, 422] {
        let server = ScriptedModel::start([Reply::error(code, "no")]);
        let (client, clock) = client_of(&server);
        let error = client.complete(&prompt()).await.unwrap_err();
        assert!(matches!(&error, ModelError::Status { code: got, .. } if *got == code), "{error}");
        assert!(clock.slept().is_empty());
    }
}

#[tokio::test]
async fn a_status_is_kept_when_its_body_is_in_no_known_form() {
    for body in ["", "<html><h1>Payment required</h1></html>", "{\"error\": 7}", "[1", "\u{1b}[31mred"] {
        let reply = Reply::Status { code: 418, headers: Vec::new(), body: body.to_owned() };
        let server = ScriptedModel::start([reply]);
        let (client, _) = client_of(&server);
        let error = client.complete(&prompt()).await.unwrap_err();
        assert!(matches!(error, ModelError::Status { code: 418, .. }), "{body}: {error}");
        assert!(!error.to_string().contains('\u{1b}'));
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = ScriptedModel::start([Reply::text("the key is mine")]);
    let headers = vec![("location".to_owned(), format!("{}/chat/completions", elsewhere.base_url()))];
    let server = ScriptedModel::start([Reply::Status { code: 307, headers, body: String::new() }]);
    let (client, _) = client_of(&server);
    let error = client.complete(&prompt()).await.unwrap_err();
    assert!(matches!(error, ModelError::Status { code: 307, .. }), "{error}");
    assert!(elsewhere.requests().is_empty());
}

#[tokio::test]
async fn silence_before_the_answer_ends_at_its_deadline() {
    let server = ScriptedModel::start_with(|_| Reply::HangBeforeHeaders);
    let deadlines = deadlines(30, LONG, LONG);
    let (client, clock) = client_with(Provider { deadlines, ..provider(server.base_url()) });
    let error = client.complete(&prompt()).await.unwrap_err();
    assert_eq!(error, ModelError::Timeout { which: Deadline::FirstByte, limit: Duration::from_millis(30) });
    assert_eq!(clock.slept().len(), 2, "time-outs are tried again, twice");
}

#[tokio::test]
async fn silence_in_the_middle_ends_at_its_deadline_and_counts_as_billed() {
    let server = ScriptedModel::start_with(|_| Reply::HangMidBody { bytes: 20, of: Box::new(Reply::text("hello")) });
    let deadlines = deadlines(LONG, 30, LONG);
    let (client, _) = client_with(Provider { deadlines, ..provider(server.base_url()) });
    let call = client.complete_within(&prompt(), &Budget::unlimited()).await;
    let error = call.result.unwrap_err();
    assert_eq!(error, ModelError::Timeout { which: Deadline::Idle, limit: Duration::from_millis(30) });
    let one = client.estimate(&prompt()).spend();
    assert_eq!(call.spend, one.plus(one).plus(one), "three tries, each of which may have been billed");
}

#[tokio::test]
async fn the_total_deadline_ends_what_the_others_let_pass() {
    let server = ScriptedModel::start_with(|_| Reply::HangMidBody { bytes: 20, of: Box::new(Reply::text("hello")) });
    let deadlines = deadlines(LONG, LONG, 50);
    let (client, _) = client_with(Provider { deadlines, ..provider(server.base_url()) });
    let error = client.complete(&prompt()).await.unwrap_err();
    assert_eq!(error, ModelError::Timeout { which: Deadline::Total, limit: Duration::from_millis(50) });
}

#[tokio::test]
async fn what_is_not_an_answer_is_called_that_and_not_asked_for_again() {
    let page = "<html><body>Please log in, token=ghp_aaaaaaaaaabbbbbbbbbb1234567890</body></html>";
    for reply in [Reply::HalfJson, Reply::Html(page.to_owned()), Reply::Json(serde_json::json!({ "ok": true }))] {
        let server = ScriptedModel::start([reply]);
        let (client, clock) = client_of(&server);
        let error = client.complete(&prompt()).await.unwrap_err();
        let ModelError::NotAnAnswer { excerpt } = &error else { panic!("{error}") };
        assert!(!excerpt.is_empty() && !excerpt.contains("ghp_a"), "{excerpt}");
        assert!(clock.slept().is_empty());
    }
}

#[tokio::test]
async fn an_answer_that_comes_piece_by_piece_is_put_together_with_its_bill() {
    let server = ScriptedModel::start([Reply::streamed("hello, wörld")]);
    let (client, _) = client_of(&server);
    let answer = client.complete(&prompt()).await.unwrap();
    assert_eq!((answer.text.as_str(), answer.model.as_str()), ("hello, wörld", "scripted"));
    assert_eq!((answer.billing, answer.spend.output.0), (kaizen_llm::Billing::Reported, 50));
}

#[tokio::test]
async fn an_account_without_credit_is_not_asked_again_although_the_status_is_that_of_haste() {
    let body = r#"{"error":{"message":"You exceeded your current quota","code":"insufficient_quota"}}"#;
    let server = ScriptedModel::start([Reply::Status { code: 429, headers: Vec::new(), body: body.to_owned() }]);
    let (client, clock) = client_of(&server);
    let error = client.complete(&prompt()).await.unwrap_err();
    assert!(matches!(error, ModelError::NoCredit { code: 429, .. }), "{error}");
    assert!(clock.slept().is_empty());
}

#[tokio::test]
async fn a_server_that_cannot_stream_is_asked_for_the_whole() {
    let server = ScriptedModel::start_with(|request| {
        if request.body["stream"] == true { Reply::error(400, "stream is not supported") } else { Reply::text("fine") }
    });
    let (client, _) = client_of(&server);
    assert_eq!(client.complete(&prompt()).await.unwrap().text, "fine");
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_refused_connection_is_named_with_its_address() {
    let server = ScriptedModel::start([]);
    let url = server.base_url();
    let (client, clock) = client_of(&server);
    server.stop();
    let error = client.complete(&prompt()).await.unwrap_err();
    assert!(matches!(&error, ModelError::Refused { url: named, .. } if *named == url), "{error}");
    assert_eq!(clock.slept().len(), 2);
}

#[tokio::test]
async fn a_server_without_tls_where_tls_is_wanted_is_not_tried_again() {
    let plain = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = plain.local_addr().unwrap().port();
    let serving = std::thread::spawn(move || {
        use std::io::{Read, Write};
        let (mut stream, _) = plain.accept().unwrap();
        drop(plain);
        let mut hello = [0_u8; 64 * 1024];
        let _ = stream.read(&mut hello);
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        // The client hangs up; closing first with bytes unread would look like a broken connection.
        while stream.read(&mut hello).is_ok_and(|read| read > 0) {}
    });
    let (client, clock) = client_with(provider(format!("https://127.0.0.1:{port}/v1")));
    let error = client.complete(&prompt()).await.unwrap_err();
    assert!(matches!(error, ModelError::Unreachable { .. }), "{error}");
    assert!(clock.slept().is_empty(), "what is configured wrongly stays wrong");
    serving.join().unwrap();
}

#[tokio::test]
async fn an_answer_cut_after_any_number_of_bytes_is_never_used() {
    never_used_when_cut(&Reply::text("{\"title\":\"t\"}"), |_| true).await;
    // What comes after the reason to finish is the bill, and the answer stands without it.
    let streamed = Reply::streamed("{\"title\":\"t\"}");
    let end = streamed.wire_len();
    never_used_when_cut(&streamed, |bytes| bytes < end / 2).await;
}

async fn never_used_when_cut(whole: &Reply, looked_at: impl Fn(usize) -> bool) {
    let length = whole.wire_len();
    let whole = whole.clone();
    let next = Arc::new(AtomicUsize::new(0));
    let cut = Arc::clone(&next);
    let server = ScriptedModel::start_with(move |_| Reply::CloseAfter {
        bytes: cut.load(Ordering::SeqCst),
        of: Box::new(whole.clone()),
    });
    let (client, clock) = client_of(&server);
    for bytes in (0..length).filter(|bytes| looked_at(*bytes)) {
        next.store(bytes, Ordering::SeqCst);
        let error = client.complete(&prompt()).await.expect_err(&bytes.to_string());
        assert!(matches!(error, ModelError::Cut { .. }), "{bytes}: {error}");
        clock.advance(BreakerTerms::default().open_for);
    }
    next.store(length, Ordering::SeqCst);
    assert_eq!(client.complete(&prompt()).await.expect("whole").text, "{\"title\":\"t\"}");
}

#[tokio::test]
async fn bytes_that_are_no_http_are_an_error_and_no_panic() {
    for bytes in [&b""[..], b"\0\0\0", b"HTTP/9.9 hello", b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999999\r\n\r\n{"]
    {
        let server = ScriptedModel::start_with(move |_| Reply::Raw(bytes.to_vec()));
        let (client, _) = client_of(&server);
        assert!(client.complete(&prompt()).await.is_err());
    }
}

#[tokio::test]
async fn an_answer_without_an_end_is_cut_off_at_a_limit() {
    let body = "x".repeat(17 * 1024 * 1024);
    let server = ScriptedModel::start([Reply::Status { code: 200, headers: Vec::new(), body }]);
    let (client, _) = client_of(&server);
    let error = client.complete(&prompt()).await.unwrap_err();
    assert!(matches!(error, ModelError::TooLarge { .. }), "{error}");
}
