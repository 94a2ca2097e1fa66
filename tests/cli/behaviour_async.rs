//! Asynchronous functions are called with made-up inputs too, with values of the workspace's other libraries; and what no such
//! input comes to is left to the tests, which must notice what changes.

use crate::cli::behaviour::says;
use crate::cli::support::{Room, diff_of};

const MAIL: &str = r#"//! Mail.

/// What is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    to: String,
    hops: u8,
}

impl Mail {
    /// For somebody, so many hops away.
    pub fn new(to: &str, hops: u8) -> Self {
        Self { to: to.to_owned(), hops }
    }

    /// Whom it is for.
    pub fn to(&self) -> &str {
        &self.to
    }

    /// The same one hop nearer.
    pub fn hop(&self) -> Option<Self> {
        Some(Self { hops: self.hops.checked_sub(1)?, ..self.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hops() {
        let mail = Mail::new("a", 1).hop().unwrap();
        assert_eq!((mail.to(), mail.hop()), ("a", None));
    }
}
"#;

const HUB: &str = r#"//! Hands mail on.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader};
use std::net::TcpStream;
use std::sync::Mutex;

use mail::Mail;

/// Boxes with mail.
#[derive(Default)]
pub struct Hub {
    boxes: Mutex<BTreeMap<String, Vec<Mail>>>,
}

impl Hub {
    /// Hands mail on, and says to which box, and how much is in there.
    pub async fn send(&self, mail: &Mail) -> Result<(String, usize), String> {
        let Some(next) = mail.hop() else {
            return Err(format!("{} is too far", mail.to()));
        };
        let mut boxes = self.boxes.lock().unwrap();
        let all = boxes.entry(next.to().to_owned()).or_default();
        all.push(next);
        Ok((mail.to().to_owned(), all.len()))
    }

    /// Takes the lines that somebody sends, each the name of a box, and says how many there were.
    pub fn serve(&self, stream: TcpStream) -> io::Result<usize> {
        let mut count = 0;
        for line in BufReader::new(stream).lines() {
            let line = line?;
            if line.len() > 64 {
                return Err(io::Error::other("a name is too long"));
            }
            let mut boxes = self.boxes.lock().unwrap();
            boxes.entry(line).or_default();
            count += 1;
        }
        Ok(count)
    }

    /// The names of all boxes.
    pub fn names(&self) -> Vec<String> {
        self.boxes.lock().unwrap().keys().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::io::Write as _;
    use std::net::TcpListener;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn done<F: Future>(future: F) -> F::Output {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(done) => done,
            Poll::Pending => panic!("it waits"),
        }
    }

    #[test]
    fn sends() {
        let hub = Hub::default();
        let said = [done(hub.send(&Mail::new("a", 2))), done(hub.send(&Mail::new("a", 1)))];
        assert_eq!(said, [Ok(("a".to_owned(), 1)), Ok(("a".to_owned(), 2))]);
        assert_eq!(done(hub.send(&Mail::new("b", 0))), Err("b is too far".to_owned()));
        assert_eq!(hub.names(), ["a"]);
    }

    #[test]
    fn serves() {
        let (hub, listener) = (Hub::default(), TcpListener::bind("127.0.0.1:0").unwrap());
        let mut stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        stream.write_all(b"x\ny\n").unwrap();
        drop(stream);
        assert_eq!(hub.serve(listener.accept().unwrap().0).unwrap(), 2);
        assert_eq!(hub.names(), ["x", "y"]);
    }
}
"#;

fn hub() -> Room {
    let package = |name: &str, rest: &str| {
        format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2021\"\n{rest}")
    };
    Room::with(&[
        ("Cargo.toml", "[workspace]\nmembers = [\"hub\", \"mail\"]\nresolver = \"2\"\n"),
        ("mail/Cargo.toml", &package("mail", "")),
        ("mail/src/lib.rs", MAIL),
        ("hub/Cargo.toml", &package("hub", "\n[dependencies]\nmail = { path = \"../mail\" }\n")),
        ("hub/src/lib.rs", HUB),
    ])
}

fn changed(from: &str, to: &str) -> String {
    assert!(HUB.contains(from), "the hub has no `{from}`");
    diff_of("hub/src/lib.rs", HUB, &HUB.replacen(from, to, 1))
}

#[test]
fn what_an_asynchronous_function_does_otherwise_asks_a_person() {
    let room = hub();
    let said =
        room.try_diff(&changed("Ok((mail.to().to_owned(), all", "Ok((mail.to().to_lowercase(), all"), &[]).expect(3);
    says(&said, &["`hub::Hub::send(", "and no test tells the two apart"]);
    // What comes to the same lands.
    let same = "let next = match mail.hop() {\n            Some(next) => next,\n            \
                None => return Err(format!(\"{} is too far\", mail.to())),\n        };";
    let was = "let Some(next) = mail.hop() else {\n            return Err(format!(\"{} is too far\", mail.to()));\n        };";
    let said = room.try_diff(&changed(was, same), &[]).expect(0);
    let shown = room.kaizen(&["show", &said.patch("LANDED"), "--evidence"]).expect(0);
    shown.says(&["the same for", "hub::Hub::send: "]);
}

#[test]
fn a_check_that_no_test_looks_at_does_not_go_where_no_made_up_input_comes() {
    let room = hub();
    let check = "            if line.len() > 64 {\n                return Err(io::Error::other(\"a name is too long\"));\n            }\n";
    let said = room.try_diff(&changed(check, ""), &[]).expect(3);
    says(&said, &["made-up inputs do not come to `Hub::serve`", "what the change takes away from it"]);
    // The same check in other words.
    let other = "            match line.len() > 64 {\n                true => return Err(io::Error::other(\"a name is too long\")),\n                \
                 false => {}\n            }\n";
    room.try_diff(&changed(check, other), &[]).expect(0);
    // What tests notice may be another one.
    room.try_diff(
        &changed(
            "            count += 1;\n        }\n        Ok(count)",
            "            count = count + 1;\n        }\n        Ok(count)",
        ),
        &[],
    )
    .expect(0);
}
