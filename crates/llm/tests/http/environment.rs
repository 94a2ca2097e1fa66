//! Nothing from the environment reaches a provider: the test runs itself again as a process whose environment is set.

use std::process::Command;

use crate::support::{KEY, client_of, client_with, prompt, provider};
use kaizen_llm::ModelError;
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

#[test]
fn a_proxy_that_wants_a_password_is_named_and_not_asked_again() {
    let asked = Reply::Status { code: 407, headers: Vec::new(), body: "who are you?".to_owned() };
    let proxy = ScriptedModel::start_with(move |_| asked.clone());
    let itself = std::env::current_exe().unwrap();
    let output = Command::new(itself)
        .args(["--exact", "environment::behind_a_proxy", "--ignored", "--nocapture"])
        .env("HTTPS_PROXY", proxy.base_url().trim_end_matches("/v1"))
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .output()
        .unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
    let requests = proxy.requests();
    assert_eq!((requests.len(), requests[0].method.as_str()), (1, "CONNECT"));
    assert!(!format!("{:?}", requests[0].headers).contains(KEY), "the key is for the provider alone");
}

#[tokio::test]
#[ignore = "started by the other test, with its environment"]
async fn behind_a_proxy() {
    let (client, clock) = client_with(provider("https://models.example/v1".to_owned()));
    let error = client.complete(&prompt()).await.unwrap_err();
    assert!(matches!(error, ModelError::Unreachable { .. }), "{error}");
    assert!(error.to_string().contains("proxy") && clock.slept().is_empty(), "{error}");
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
