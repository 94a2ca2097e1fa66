//! Nothing from the environment reaches a provider: the test runs itself again as a process whose environment is set.

use std::process::Command;

use crate::support::{KEY, client_of, prompt};
use kaizen_testkit::scripted_model::{Reply, ScriptedModel};

const FOREIGN: [(&str, &str); 6] = [
    ("OPENAI_API_KEY", "foreign-key"),
    ("OPENAI_ADMIN_KEY", "foreign-admin"),
    ("OPENAI_ORG_ID", "foreign-org"),
    ("OPENAI_PROJECT_ID", "foreign-project"),
    ("OPENAI_BASE_URL", "http://127.0.0.1:9/foreign"),
    ("HTTP_PROXY", "http://127.0.0.1:9"),
];

#[test]
fn keys_organisations_addresses_and_proxies_of_the_environment_are_not_used() {
    let itself = std::env::current_exe().unwrap();
    let output = Command::new(itself)
        .args(["--exact", "environment::in_a_foreign_environment", "--ignored", "--nocapture"])
        .envs(FOREIGN)
        .output()
        .unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{text}");
    assert!(text.contains("1 passed"), "{text}");
}

#[tokio::test]
#[ignore = "started by the other test, with its environment"]
async fn in_a_foreign_environment() {
    assert_eq!(std::env::var("OPENAI_API_KEY").as_deref(), Ok("foreign-key"), "started by the other test");
    let server = ScriptedModel::start([Reply::text("hello")]);
    let (client, _) = client_of(&server);
    client.complete(&prompt()).await.unwrap();
    let request = &server.requests()[0];
    assert_eq!(request.header("authorization"), Some(format!("Bearer {KEY}").as_str()));
    let sent = format!("{:?} {}", request.headers, request.body);
    assert!(!sent.contains("foreign"), "{sent}");
}
