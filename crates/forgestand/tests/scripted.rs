//! One story in three dialects: a branch becomes a pull request that is checked, commented, labelled, approved and
//! merged, and every refusal on the way is one.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use kaizen_forgestand::ScriptedForge;
use kaizen_forgestand::bare::Bare;
use kaizen_forgestand::http::{self, Response};
use kaizen_forgestand::scripted::{Check, CheckState, Dialect, Permission, Protection, hmac};
use serde_json::{Value, json};

const FULL: &str = "acme/ledger";
const DIALECTS: [Dialect; 3] = [Dialect::GitHub, Dialect::GitLab, Dialect::Forgejo];

struct Stand {
    forge: ScriptedForge,
    bare: Bare,
    dialect: Dialect,
    _folder: tempfile::TempDir,
}

impl Stand {
    fn new(dialect: Dialect) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let bare = Bare::init(&folder.path().join("ledger.git"), "main");
        bare.write("main", None, "begin", &[("a.txt", "one\n"), ("b.txt", "two\n")]);
        bare.write("kaizen/c7", Some("main"), "better", &[("a.txt", "one and a half\n")]);
        let forge = ScriptedForge::start();
        forge.user("acme", "owner-token");
        forge.user("bot", "bot-token");
        forge.user("eve", "eve-token");
        forge.user("ann", "ann-token");
        forge.repository("acme", "ledger", bare.path(), "main");
        forge.permit(FULL, "bot", Permission::Write);
        forge.permit(FULL, "ann", Permission::Read);
        Self { forge, bare, dialect, _folder: folder }
    }

    /// The address of something in the repository.
    fn at(&self, tail: &str) -> String {
        let project = if self.dialect == Dialect::GitLab { "projects/acme%2Fledger" } else { "repos/acme/ledger" };
        let tail = if tail.is_empty() { String::new() } else { format!("/{tail}") };
        format!("{}/{project}{tail}", self.forge.api(self.dialect))
    }

    fn pulls(&self) -> &'static str {
        if self.dialect == Dialect::GitLab { "merge_requests" } else { "pulls" }
    }

    fn ask(&self, token: &str, method: &str, url: &str, body: &Value) -> Response {
        let bearer = format!("Bearer {token}");
        http::call_json(method, url, &[("authorization", &bearer)], body).expect("the forge answers")
    }

    fn bot(&self, method: &str, tail: &str, body: &Value) -> Response {
        self.ask("bot-token", method, &self.at(tail), body)
    }

    fn get(&self, tail: &str) -> Value {
        let response = self.bot("GET", tail, &Value::Null);
        assert_eq!(response.status, 200, "{tail}: {}", response.text());
        response.json()
    }

    /// Each dialect's own.
    fn pick<T>(&self, github: T, gitlab: T, forgejo: T) -> T {
        match self.dialect {
            Dialect::GitHub => github,
            Dialect::GitLab => gitlab,
            Dialect::Forgejo => forgejo,
        }
    }

    fn open(&self, token: &str, head: &str) -> Response {
        let plain = json!({ "title": "Better", "head": head, "base": "main", "body": "why" });
        let gitlab = json!({ "title": "Better", "source_branch": head, "target_branch": "main", "description": "why" });
        let body = self.pick(plain.clone(), gitlab, plain);
        self.ask(token, "POST", &self.at(self.pulls()), &body)
    }

    fn merge(&self, token: &str, number: u64, guard: &str) -> Response {
        let (method, body) = self.pick(
            ("PUT", json!({ "sha": guard, "merge_method": "merge" })),
            ("PUT", json!({ "sha": guard })),
            ("POST", json!({ "Do": "merge", "head_commit_id": guard })),
        );
        self.ask(token, method, &self.at(&format!("{}/{number}/merge", self.pulls())), &body)
    }
}

#[test]
fn a_branch_becomes_a_merged_pull_request() {
    for dialect in DIALECTS {
        let stand = Stand::new(dialect);
        let protection = Protection { checks: vec!["ci".to_owned()], approvals: 1, signed: false };
        stand.forge.protect(FULL, "main", Some(protection));
        let opened = stand.open("bot-token", "kaizen/c7");
        assert_eq!(opened.status, 201, "{dialect:?}: {}", opened.text());
        let pull = opened.json();
        let number = pull[stand.pick("number", "iid", "number")].as_u64().unwrap();
        let tip = stand.bare.tip("kaizen/c7").unwrap();
        let sha = if dialect == Dialect::GitLab { &pull["sha"] } else { &pull["head"]["sha"] };
        assert_eq!(*sha, json!(tip), "{dialect:?}");

        let again = stand.open("bot-token", "kaizen/c7");
        assert_eq!(again.status, stand.pick(422, 409, 409), "{dialect:?}: {}", again.text());
        assert!(again.text().contains("already exists"), "{dialect:?}: {}", again.text());
        assert_eq!(stand.forge.pulls(FULL), 1);
        let missing = stand.open("bot-token", "no/such");
        assert_eq!(missing.status, stand.pick(422, 409, 404), "{dialect:?}: {}", missing.text());

        // Protected: first the check is missing, then the approval, then the head that the client saw.
        assert_eq!(stand.merge("bot-token", number, &tip).status, 405, "{dialect:?}");
        stand.forge.check(FULL, &tip, Check::status("ci", CheckState::Failure));
        stand.forge.check(FULL, &tip, Check::status("ci", CheckState::Success));
        assert_eq!(stand.merge("bot-token", number, &tip).status, 405, "{dialect:?}");
        stand.forge.review(FULL, number, "acme", true, "fine");
        assert_eq!(stand.merge("bot-token", number, &"1".repeat(40)).status, 409, "{dialect:?}");
        let reader = stand.merge("ann-token", number, &tip).status;
        assert_eq!(reader, stand.pick(403, 401, 405), "{dialect:?}");
        assert_eq!(stand.bare.between("main", "kaizen/c7").len(), 1, "nothing was merged yet");

        let merged = stand.merge("bot-token", number, &tip);
        assert_eq!(merged.status, 200, "{dialect:?}: {}", merged.text());
        assert_eq!(stand.bare.file("main", "a.txt").unwrap().1, b"one and a half\n");
        let seen = stand.get(&format!("{}/{number}", stand.pulls()));
        let commit = stand.bare.commit("main").unwrap();
        assert_eq!(seen["merge_commit_sha"], json!(commit.sha), "{dialect:?}");
        assert_eq!(commit.parents.get(1), Some(&tip), "{dialect:?}");
        assert_eq!(seen["state"], stand.pick("closed", "merged", "closed"), "{dialect:?}");
        assert_eq!(stand.merge("bot-token", number, &tip).status, 405, "{dialect:?}");
    }
}

#[test]
fn comments_and_labels_stay_and_can_be_changed() {
    for dialect in DIALECTS {
        let stand = Stand::new(dialect);
        stand.open("bot-token", "kaizen/c7");
        let issue = stand.pick("issues/1", "merge_requests/1", "issues/1");
        let notes = stand.pick("comments", "notes", "comments");
        let made = stand.bot("POST", &format!("{issue}/{notes}"), &json!({ "body": "first" }));
        assert_eq!(made.status, 201, "{dialect:?}: {}", made.text());
        let id = made.json()["id"].as_u64().unwrap();
        let single =
            stand.pick(format!("issues/comments/{id}"), format!("{issue}/notes/{id}"), format!("issues/comments/{id}"));
        let method = stand.pick("PATCH", "PUT", "PATCH");
        assert_eq!(stand.bot(method, &single, &json!({ "body": "second" })).status, 200, "{dialect:?}");
        // Somebody who may only read changes nobody else's comment.
        let other = stand.ask("ann-token", method, &stand.at(&single), &json!({ "body": "third" }));
        assert_eq!(other.status, 403, "{dialect:?}");
        let listed = stand.get(&format!("{issue}/{notes}"));
        assert_eq!((listed[0]["body"].as_str(), listed.as_array().unwrap().len()), (Some("second"), 1), "{dialect:?}");

        let label = stand.bot("POST", "labels", &json!({ "name": "kaizen", "color": "#00ff00" })).json();
        let (method, tail, body) = stand.pick(
            ("POST", "issues/1/labels", json!({ "labels": ["kaizen"] })),
            ("PUT", "merge_requests/1", json!({ "add_labels": "kaizen" })),
            ("POST", "issues/1/labels", json!({ "labels": [label["id"]] })),
        );
        assert_eq!(stand.bot(method, tail, &body).status, 200, "{dialect:?}");
        let labels = stand.get(&format!("{}/1", stand.pulls()))["labels"].clone();
        let name = if dialect == Dialect::GitLab { &labels[0] } else { &labels[0]["name"] };
        assert_eq!(*name, "kaizen", "{dialect:?}");
    }
}

#[test]
fn pushes_behind_its_back_are_seen() {
    for dialect in DIALECTS {
        let stand = Stand::new(dialect);
        stand.open("bot-token", "kaizen/c7");
        let one = format!("{}/1", stand.pulls());
        let next = stand.bare.write("kaizen/c7", None, "more", &[("c.txt", "three\n")]);
        let pull = stand.get(&one);
        let sha = if dialect == Dialect::GitLab { &pull["sha"] } else { &pull["head"]["sha"] };
        assert_eq!(*sha, json!(next), "{dialect:?}");

        stand.bare.write("main", None, "against it", &[("a.txt", "something else\n")]);
        let pull = stand.get(&one);
        let conflict = match dialect {
            Dialect::GitLab => pull["has_conflicts"] == true,
            _ => pull["mergeable"] == false,
        };
        assert!(conflict, "{dialect:?}: {pull}");
        let before = stand.bare.tip("main");
        let refused = stand.merge("bot-token", 1, &next);
        assert_eq!(refused.status, stand.pick(405, 422, 409), "{dialect:?}: {}", refused.text());
        assert_eq!(stand.bare.tip("main"), before);

        stand.bare.delete_branch("kaizen/c7").unwrap();
        assert_eq!(stand.get(&one)["state"], "closed", "{dialect:?}");
    }
}

#[test]
fn tokens_and_permissions_count() {
    for dialect in DIALECTS {
        let stand = Stand::new(dialect);
        assert_eq!(stand.ask("wrong", "GET", &stand.at(""), &Value::Null).status, 401, "{dialect:?}");
        assert_eq!(stand.ask("eve-token", "GET", &stand.at(""), &Value::Null).status, 404, "{dialect:?}");
        assert_eq!(stand.open("ann-token", "kaizen/c7").status, 403, "{dialect:?}");
        assert_eq!(stand.forge.pulls(FULL), 0);
        stand.forge.permit(FULL, "ann", Permission::Write);
        assert_eq!(stand.open("ann-token", "kaizen/c7").status, 201, "{dialect:?}");
        stand.forge.revoke("ann-token");
        assert_eq!(stand.open("ann-token", "kaizen/c7").status, 401, "{dialect:?}");
        assert!(stand.forge.requests().iter().all(|seen| !seen.target.contains("token")));
    }
}

#[test]
fn rebase_keeps_the_author_and_squash_makes_one() {
    let stand = Stand::new(Dialect::GitHub);
    stand.bare.write("kaizen/c7", None, "and more", &[("c.txt", "three\n")]);
    stand.bare.write("main", None, "meanwhile", &[("b.txt", "changed\n")]);
    stand.open("bot-token", "kaizen/c7");
    let before = stand.bare.tip("main").unwrap();
    let merged = stand.bot("PUT", "pulls/1/merge", &json!({ "merge_method": "rebase" }));
    assert_eq!(merged.status, 200, "{}", merged.text());
    let added = stand.bare.between(&before, "main");
    let messages: Vec<&str> = added.iter().map(|commit| commit.message.as_str()).collect();
    assert_eq!(messages, ["better", "and more"]);
    assert_eq!(stand.bare.file("main", "b.txt").unwrap().1, b"changed\n");

    stand.bare.write("kaizen/d8", Some("main"), "x", &[("d.txt", "1\n")]);
    stand.bare.write("kaizen/d8", None, "y", &[("d.txt", "2\n")]);
    stand.open("bot-token", "kaizen/d8");
    let before = stand.bare.tip("main").unwrap();
    assert_eq!(stand.bot("PUT", "pulls/2/merge", &json!({ "merge_method": "squash" })).status, 200);
    assert_eq!(stand.bare.commit("main").unwrap().parents, [before]);
}

#[test]
fn what_did_not_change_costs_nothing_at_github() {
    for (dialect, prefix) in [(Dialect::GitHub, "x-ratelimit-"), (Dialect::GitLab, "ratelimit-")] {
        let stand = Stand::new(dialect);
        stand.forge.rate_limit(Some((3, 60)));
        let auth = ("authorization", "Bearer bot-token");
        let first = http::call("GET", &stand.at(""), &[auth], None).unwrap();
        let tag = first.header("etag").unwrap().to_owned();
        let second = http::call("GET", &stand.at(""), &[auth, ("if-none-match", &tag)], None).unwrap();
        assert_eq!((second.status, second.body.len()), (304, 0), "{dialect:?}");
        let left = if dialect == Dialect::GitHub { "2" } else { "1" };
        assert_eq!(second.header(&format!("{prefix}remaining")), Some(left), "{dialect:?}");
        let again = || stand.open("bot-token", "kaizen/c7");
        let [_, _, last] = [again(), again(), again()];
        assert_eq!(last.status, stand.pick(403, 429, 0), "{dialect:?}: {}", last.text());
        assert_eq!(last.header(&format!("{prefix}remaining")), Some("0"), "{dialect:?}");
        assert_eq!(stand.forge.pulls(FULL), 1);
    }
}

#[test]
fn lists_have_pages() {
    for dialect in DIALECTS {
        let stand = Stand::new(dialect);
        for number in 0..3 {
            stand.bare.write(&format!("k/{number}"), Some("main"), "x", &[("n.txt", &number.to_string())]);
            assert_eq!(stand.open("bot-token", &format!("k/{number}")).status, 201);
        }
        let size = stand.pick("per_page", "per_page", "limit");
        let state = stand.pick("open", "opened", "open");
        let mut next = Some(stand.at(&format!("{}?{size}=2&state={state}", stand.pulls())));
        let mut heads = Vec::new();
        while let Some(url) = next {
            let page = stand.ask("bot-token", "GET", &url, &Value::Null);
            for pull in page.json().as_array().unwrap() {
                heads.push(if dialect == Dialect::GitLab {
                    pull["source_branch"].clone()
                } else {
                    pull["head"]["ref"].clone()
                });
            }
            let link = page.header("link").unwrap_or_default().to_owned();
            let found = link.split(", ").find(|link| link.ends_with("rel=\"next\""));
            next = found.and_then(|link| link.split(['<', '>']).nth(1)).map(str::to_owned);
        }
        assert_eq!(heads, ["k/2", "k/1", "k/0"], "{dialect:?}");
    }
}

#[test]
fn hooks_are_signed_and_told_once() {
    for dialect in DIALECTS {
        let stand = Stand::new(dialect);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        stand.forge.webhook(FULL, dialect, &url, "secret");
        stand.open("bot-token", "kaizen/c7");
        let (mut stream, _) = listener.accept().unwrap();
        let mut bytes = Vec::new();
        let mut buffer = [0; 4096];
        let (head, body) = loop {
            let read = stream.read(&mut buffer).unwrap();
            bytes.extend_from_slice(&buffer[..read]);
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
            if body.len() == length.parse::<usize>().unwrap() {
                break (head.to_owned(), body.to_owned());
            }
        };
        stream.write_all(b"HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n").unwrap();
        drop(stream);
        let signature = hex::encode(hmac(b"secret", body.as_bytes()));
        let proof = stand.pick(
            format!("x-hub-signature-256: sha256={signature}"),
            "x-gitlab-token: secret".to_owned(),
            format!("x-forgejo-signature: {signature}"),
        );
        assert!(head.contains(&proof), "{dialect:?}: {head}");
        let event = stand.pick(
            "x-github-event: pull_request",
            "x-gitlab-event: Merge Request Hook",
            "x-forgejo-event: pull_request",
        );
        assert!(head.contains(event), "{dialect:?}: {head}");
        std::thread::sleep(std::time::Duration::from_millis(200));
        let told: Vec<_> = stand.forge.deliveries();
        assert_eq!((told.len(), told[0].status), (1, Some(204)), "{dialect:?}");
    }
}

#[test]
fn an_app_gets_a_token_for_an_hour() {
    let stand = Stand::new(Dialect::GitHub);
    stand.forge.installation(7, "kaizen[bot]");
    stand.forge.permit(FULL, "kaizen[bot]", Permission::Write);
    let url = format!("{}/app/installations/7/access_tokens", stand.forge.api(Dialect::GitHub));
    assert_eq!(stand.ask("no-jwt", "POST", &url, &json!({})).status, 401);
    let made = stand.ask("aaa.bbb.ccc", "POST", &url, &json!({}));
    assert_eq!(made.status, 201, "{}", made.text());
    let token = made.json()["token"].as_str().unwrap().to_owned();
    let opened = stand.open(&token, "kaizen/c7");
    assert_eq!((opened.status, &opened.json()["user"]["type"]), (201, &json!("Bot")));
}

#[test]
fn what_it_knew_is_put_back() {
    let stand = Stand::new(Dialect::GitHub);
    assert_eq!(stand.open("owner-token", "kaizen/c7").status, 201);
    let (memory, tip) = (stand.forge.memory(), stand.bare.tip("kaizen/c7").unwrap());
    stand.forge.comment(FULL, 1, "acme", "why?");
    stand.bare.delete_branch("kaizen/c7").unwrap();
    let closed = stand.get("pulls/1");
    assert_eq!((&closed["state"], &closed["comments"]), (&json!("closed"), &json!(1)), "{closed}");
    stand.forge.put_back(&memory, || stand.bare.update("refs/heads/kaizen/c7", &tip, Some("")).unwrap());
    let open = stand.get("pulls/1");
    assert_eq!((&open["state"], &open["comments"], &open["head"]["sha"]), (&json!("open"), &json!(0), &json!(tip)));
}
