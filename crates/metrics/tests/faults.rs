//! Servers that do not behave: each fault is an error that says what to do, and none of them is waited for long.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use kaizen_metrics::{Access, Limits, MetricsError, Prometheus};

/// What one question to a server that answers with these bytes comes to; it keeps the connection open when told to.
fn asked(answer: Vec<u8>, stays: bool) -> MetricsError {
    let listener = TcpListener::bind("127.0.0.1:0").expect("it works");
    let address = format!("http://{}", listener.local_addr().expect("it works"));
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("it works");
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(&answer);
        if stays {
            // Until the client has had enough.
            let _ = stream.read(&mut [0; 1]);
        }
    });
    let limits = Limits { connect: Duration::from_secs(2), total: Duration::from_millis(700) };
    let prometheus = Prometheus::new(&address, &Access { limits, ..Access::default() }).expect("it works");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("it works");
    let begun = Instant::now();
    let error = runtime.block_on(prometheus.instant("up", None)).expect_err("it is refused");
    assert!(begun.elapsed() < Duration::from_secs(5));
    drop(runtime);
    server.join().expect("it works");
    error
}

#[test]
fn what_does_not_answer_is_not_waited_for() {
    let silent = asked(Vec::new(), true);
    assert!(silent.may_pass() && silent.to_string().contains("no whole answer"), "{silent}");
    let cut = asked(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"sta".to_vec(), false);
    assert!(cut.may_pass(), "{cut}");
    let slow = asked(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"sta".to_vec(), true);
    assert!(slow.to_string().contains("no whole answer"), "{slow}");
}

#[test]
fn a_redirect_is_not_followed() {
    let moved = b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n".to_vec();
    assert!(matches!(asked(moved, false), MetricsError::Refused { status: 302, .. }));
}

#[test]
fn an_endless_answer_is_cut_off() {
    let mut endless = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n".to_vec();
    endless.resize(9 << 20, b' ');
    let error = asked(endless, false);
    assert!(matches!(&error, MetricsError::Answer { why, .. } if why.contains("8 MiB")), "{error}");
}

#[test]
fn nobody_there_is_said() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let prometheus = Prometheus::new(&format!("http://127.0.0.1:{port}"), &Access::default()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let error = runtime.block_on(prometheus.instant("up", None)).unwrap_err();
    assert!(error.may_pass() && error.to_string().contains(&port.to_string()), "{error}");
}

#[test]
fn a_token_is_shown_to_the_server_and_to_nobody_else() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("it works");
    let address = format!("http://{}", listener.local_addr().expect("it works"));
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("it works");
        let mut bytes = [0; 4096];
        let read = stream.read(&mut bytes).expect("a request");
        let _ = stream.write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n");
        String::from_utf8_lossy(&bytes[..read]).into_owned()
    });
    let access = Access { token: Some("hush-hush".to_owned().into()), ..Access::default() };
    let prometheus = Prometheus::new(&address, &access).expect("it works");
    assert!(!format!("{prometheus:?} {access:?}").contains("hush"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("it works");
    let error = runtime.block_on(prometheus.instant("up", None)).expect_err("it is refused");
    assert!(!error.to_string().contains("hush"), "{error}");
    assert!(server.join().expect("it ends").contains("authorization: Bearer hush-hush\r\n"));
}
