//! Calls that are answered: what is sent, what comes back, and what it is booked at.

use crate::support::{KEY, client_of, client_with, prompt, provider};
use kaizen_domain::{Edit, RelPath, Spend, Tokens, Usd};
use kaizen_llm::inputs::ConfiguratorInput;
use kaizen_llm::{Billing, Budget, Finish, Format, ModelError, PatchAnswer, Prompt, Provider, Structured, render};
use kaizen_testkit::scripted_model::{Reply, ScriptedModel};
use serde_json::json;

#[tokio::test]
async fn a_good_answer_comes_back_with_its_text_and_its_exact_bill() {
    let server = ScriptedModel::start([Reply::text("hello")]);
    let (client, _) = client_of(&server);
    let answer = client.complete(&prompt()).await.unwrap();
    assert_eq!((answer.text.as_str(), answer.model.as_str()), ("hello", "scripted"));
    assert_eq!((answer.finish, answer.billing), (Finish::Stop, Billing::Reported));
    assert_eq!(answer.spend, Spend { input: Tokens(100), output: Tokens(50), usd: Usd(100 + 500), ..Spend::default() });

    let requests = server.requests();
    assert_eq!(requests.len(), 1);
    let request = &requests[0];
    assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/v1/chat/completions"));
    assert_eq!((request.message("system"), request.message("user")), ("rules", "question"));
    assert_eq!(request.body["model"], "tester");
    assert_eq!(request.body["max_tokens"], 1_000);
    assert_eq!(request.body["stream"], true);
    assert_eq!(request.body["stream_options"]["include_usage"], true);
    assert!(request.body.get("response_format").is_none(), "no form was asked for");
}

#[tokio::test]
async fn the_key_is_sent_as_bearer_and_stands_nowhere_else() {
    let echo = format!("Incorrect API key provided: {KEY}");
    let server = ScriptedModel::start([Reply::error(401, &echo)]);
    let (client, _) = client_of(&server);
    let error = client.complete(&prompt()).await.unwrap_err();
    let request = &server.requests()[0];
    assert_eq!(request.header("authorization"), Some(format!("Bearer {KEY}").as_str()));
    let elsewhere: Vec<_> = request.headers.iter().filter(|(name, _)| name != "authorization").collect();
    assert!(!format!("{elsewhere:?} {}", request.body).contains(KEY));
    assert!(matches!(&error, ModelError::Status { code: 401, .. }), "{error:?}");
    let shown = format!("{error} {error:?} {client:?} {:?}", client.provider());
    assert!(!shown.contains(KEY), "{shown}");
    assert!(shown.contains("check the key"), "{shown}");
}

#[tokio::test]
async fn without_a_key_no_authorization_is_sent() {
    let server = ScriptedModel::start([Reply::text("hello")]);
    let (client, _) = client_with(Provider { key: None, ..provider(server.base_url()) });
    client.complete(&prompt()).await.unwrap();
    assert_eq!(server.requests()[0].header("authorization"), None);
}

#[tokio::test]
async fn a_missing_bill_is_estimated_and_an_impossible_one_booked_at_the_most() {
    let absurd = json!({ "prompt_tokens": -1, "completion_tokens": 5 });
    let more_than_it_may_write = json!({ "prompt_tokens": 10, "completion_tokens": 1_001 });
    let server = ScriptedModel::start([
        Reply::completion("hello", None),
        Reply::completion("hello", Some(absurd)),
        Reply::completion("hello", Some(more_than_it_may_write)),
    ]);
    let (client, _) = client_of(&server);
    let estimate = client.estimate(&prompt());
    let missing = client.complete(&prompt()).await.unwrap();
    assert_eq!((missing.billing, missing.spend.input), (Billing::Estimated, estimate.input));
    assert_eq!(missing.spend.output, Tokens(3));
    for _ in 0..2 {
        let impossible = client.complete(&prompt()).await.unwrap();
        assert_eq!((impossible.billing, impossible.spend), (Billing::Disbelieved, estimate.spend()));
    }
}

#[tokio::test]
async fn an_answer_cut_at_its_limit_is_refused_but_paid_for() {
    let usage = Some(json!({ "prompt_tokens": 10, "completion_tokens": 1_000 }));
    let cut = Reply::Completion { content: "{\"title\":".to_owned(), usage, finish: "length".to_owned() };
    let server = ScriptedModel::start([cut]);
    let (client, clock) = client_of(&server);
    let budget = Budget::new(Usd(1_000_000), Tokens(10_000));
    let call = client.complete_within(&prompt(), &budget).await;
    assert_eq!(call.result.unwrap_err(), ModelError::Truncated { limit: 1_000 });
    assert_eq!(call.spend, Spend { input: Tokens(10), output: Tokens(1_000), usd: Usd(10_010), ..Spend::default() });
    assert_eq!(budget.spent(), call.spend);
    assert!(clock.slept().is_empty(), "asking the same again would be cut again");
}

#[tokio::test]
async fn the_form_is_asked_for_as_configured() {
    for (structured, wanted) in [
        (Structured::JsonSchema, json!("json_schema")),
        (Structured::JsonObject, json!("json_object")),
        (Structured::Text, json!(null)),
    ] {
        let server = ScriptedModel::start([Reply::text("{}")]);
        let (client, _) = client_with(Provider { structured, ..provider(server.base_url()) });
        client.complete(&Prompt { schema: Some(PatchAnswer::schema()), ..prompt() }).await.unwrap();
        let body = &server.requests()[0].body;
        assert_eq!(body["response_format"]["type"], wanted);
        if structured == Structured::JsonSchema {
            assert_eq!(body["response_format"]["json_schema"]["strict"], true);
            assert_eq!(body["response_format"]["json_schema"]["name"], "patch");
        }
    }
}

#[tokio::test]
async fn a_server_that_refuses_the_form_is_asked_without_it_and_remembered() {
    let server = ScriptedModel::start_with(|request| {
        if request.body.get("response_format").is_some() {
            Reply::error(400, "response_format is not supported by this model")
        } else {
            Reply::text("fine")
        }
    });
    let (client, clock) = client_of(&server);
    let prompt = Prompt { schema: Some(PatchAnswer::schema()), ..prompt() };
    assert_eq!(client.complete(&prompt).await.unwrap().text, "fine");
    assert_eq!(client.complete(&prompt).await.unwrap().text, "fine");
    assert_eq!(server.requests().len(), 3, "the second call does not ask for the form again");
    assert!(clock.slept().is_empty());
}

#[tokio::test]
async fn a_server_that_wants_the_limit_under_its_newer_name_gets_it() {
    let server = ScriptedModel::start_with(|request| {
        if request.body.get("max_tokens").is_some() {
            Reply::error(400, "'max_tokens' is not supported, use 'max_completion_tokens' instead")
        } else {
            Reply::text("fine")
        }
    });
    let (client, _) = client_of(&server);
    assert_eq!(client.complete(&prompt()).await.unwrap().text, "fine");
    assert_eq!(server.requests()[1].body["max_completion_tokens"], 1_000);
}

#[tokio::test]
async fn a_question_that_does_not_fit_is_not_sent() {
    let server = ScriptedModel::start([Reply::text("hello")]);
    let (client, _) = client_with(Provider { context_tokens: 2_000, ..provider(server.base_url()) });
    let long = Prompt { user: "x".repeat(4_000), ..prompt() };
    let error = client.complete(&long).await.unwrap_err();
    assert!(matches!(error, ModelError::TooLong { context: 2_000, .. }), "{error}");
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_patch_travels_from_a_template_to_edits() {
    let edit = Edit::Replace {
        path: RelPath::new("src/tax.rs").unwrap(),
        search: "cents / 5".to_owned(),
        replace: "cents.div_ceil(5)".to_owned(),
    };
    let written = PatchAnswer {
        title: "round up".to_owned(),
        rationale: "the test asks for it".to_owned(),
        edits: vec![edit.clone()],
        benchmark: None,
        give_up: None,
    };
    let reply = written.to_json().to_string();
    let server = ScriptedModel::start_with(move |_| Reply::text(reply.clone()));
    let (client, _) = client_of(&server);
    let input = ConfiguratorInput {
        brief: "Round up.".to_owned(),
        evidence: Vec::new(),
        format: Format::Json,
        map: None,
        files: Vec::new(),
        reach: vec![RelPath::new("src/tax.rs").unwrap()],
        lessons: Vec::new(),
        rounds: Vec::new(),
        repair: None,
    };
    let completion = client.complete(&render(&input).unwrap()).await.unwrap();
    assert_eq!(PatchAnswer::parse(&completion.text).unwrap().edit_set().edits, [edit]);
    let request = &server.requests()[0];
    assert!(request.message("user").contains("Round up."));
    assert_eq!(request.body["response_format"]["json_schema"]["schema"]["type"], "object");
}
