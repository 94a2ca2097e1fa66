//! What a check said is read as far as the forge gives it.

use kaizen_forge::{Access, Check, Credentials, ForgeKind, Limits, Pace, Remote, connect};
use kaizen_forgestand::{Fault, Recorder, ScriptedForge};

#[tokio::test]
async fn a_check_is_read_in_short_where_its_notes_cannot_be() {
    let forge = ScriptedForge::start();
    let recorder = Recorder::start(&forge.api(kaizen_forgestand::scripted::Dialect::GitHub));
    let remote = Remote::parse("https://github.com/acme/tiny.git").unwrap();
    let access = Access {
        kind: Some(ForgeKind::GitHub),
        api_url: Some(recorder.url()),
        credentials: Credentials::Token("t".to_owned().into()),
        limits: Limits::default(),
        pace: Pace::default(),
    };
    let client = connect(&remote, access).unwrap();
    let check = Check { name: "ci".to_owned(), id: "7".to_owned(), summary: "exit code 1".to_owned() };
    let answer = |status| Fault::Answer { status, headers: Vec::new(), message: "no notes for you".to_owned() };
    // Not allowed, not there, and something else than a list.
    for status in [403, 404, 200] {
        recorder.fault(1, answer(status));
        assert_eq!(client.check_log(&check).await.unwrap(), "exit code 1", "{status}");
    }
    // What may pass is worth another round.
    recorder.fault(1, Fault::DropBefore);
    assert!(client.check_log(&check).await.unwrap_err().may_pass());
}
