//! A scripted Prometheus: one value before a moment, another after it, both a little noisy.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;

/// It listens until it is dropped.
pub struct Prometheus {
    /// Where.
    pub address: String,
    ended: Arc<AtomicBool>,
}

impl Prometheus {
    /// One whose value is this many times as large from now on.
    ///
    /// # Errors
    /// When there is no port to be had.
    pub fn from_now(factor: f64) -> Result<Self> {
        let moment = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs_f64();
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?.to_string();
        let ended = Arc::new(AtomicBool::new(false));
        let over = ended.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if over.load(Ordering::SeqCst) {
                    return;
                }
                // A client that is killed in the middle is part of what is measured.
                let _ = stream.and_then(|stream| serve(stream, moment, factor));
            }
        });
        Ok(Self { address, ended })
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(&self.address);
    }
}

fn serve(mut stream: TcpStream, moment: f64, factor: f64) -> std::io::Result<()> {
    let mut bytes = [0_u8; 4096];
    let read = stream.read(&mut bytes)?;
    let text = String::from_utf8_lossy(bytes.get(..read).unwrap_or_default()).into_owned();
    let query = text.split_whitespace().nth(1).unwrap_or("").to_owned();
    let of = |name: &str| {
        let value = query.split(['?', '&']).find_map(|pair| pair.strip_prefix(&format!("{name}=")));
        value.and_then(|value| value.parse::<f64>().ok()).unwrap_or(0.0)
    };
    let (mut at, end, step) = (of("start"), of("end"), of("step").max(0.001));
    let mut values = Vec::new();
    while at <= end && values.len() < 11_000 {
        // Always the same noise for the same moment, and never the same value twice.
        let noise = (at * 12.9898).sin().mul_add(43_758.545_3, 0.0).rem_euclid(1.0) / 5.0;
        let value = if at <= moment { 1.0 } else { factor } * (0.9 + noise);
        values.push(format!("[{at:.3},\"{value:.6}\"]"));
        at += step;
    }
    let series = format!("{{\"metric\":{{}},\"values\":[{}]}}", values.join(","));
    let body = format!("{{\"status\":\"success\",\"data\":{{\"resultType\":\"matrix\",\"result\":[{series}]}}}}");
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n";
    write!(stream, "{head}content-length: {}\r\n\r\n{body}", body.len())
}
