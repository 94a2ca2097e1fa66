//! The recording proxy: what a network and a forge in trouble do to a request.

use kaizen_forgestand::bare::Bare;
use kaizen_forgestand::http;
use kaizen_forgestand::scripted::Dialect;
use kaizen_forgestand::{Fault, Recorder, ScriptedForge};
use serde_json::json;

#[test]
fn faults_come_when_they_are_told_to() {
    let folder = tempfile::tempdir().unwrap();
    let bare = Bare::init(folder.path(), "main");
    bare.write("main", None, "begin", &[("a.txt", "one\n")]);
    for number in 0..4 {
        bare.write(&format!("k/{number}"), Some("main"), "x", &[("n.txt", &number.to_string())]);
    }
    let forge = ScriptedForge::start();
    forge.user("acme", "token");
    forge.repository("acme", "ledger", bare.path(), "main");
    let recorder = Recorder::start(&forge.api(Dialect::GitHub));
    let url = format!("{}/repos/acme/ledger/pulls", recorder.url());
    let open = |number: usize| {
        let body = json!({ "title": "x", "head": format!("k/{number}"), "base": "main" });
        http::call_json("POST", &url, &[("authorization", "Bearer token")], &body)
    };
    recorder.fault(1, Fault::DropBefore);
    recorder.fault(2, Fault::DropAfter);
    recorder.fault(3, Fault::too_many(7));
    recorder.fault(4, Fault::used_up(99));
    recorder.fault(5, Fault::unauthorized());

    assert!(open(0).is_err());
    assert_eq!(forge.pulls("acme/ledger"), 0, "it never came to the forge");
    assert!(open(1).is_err());
    assert_eq!(forge.pulls("acme/ledger"), 1, "the forge did it, and the client does not know");
    let slow = open(2).unwrap();
    assert_eq!((slow.status, slow.header("retry-after")), (429, Some("7")));
    let used_up = open(2).unwrap();
    assert_eq!((used_up.status, used_up.header("x-ratelimit-remaining")), (403, Some("0")));
    assert_eq!(open(2).unwrap().status, 401);
    assert_eq!(forge.pulls("acme/ledger"), 1);
    let done = open(2).unwrap();
    assert_eq!(done.status, 201, "{}", done.text());
    // Addresses lead back through the proxy.
    assert!(done.json()["url"].as_str().unwrap().starts_with(&recorder.url()), "{}", done.text());
    let statuses: Vec<Option<u16>> = recorder.calls().into_iter().map(|call| call.status).collect();
    assert_eq!(statuses, [None, None, Some(429), Some(403), Some(401), Some(201)]);
}
