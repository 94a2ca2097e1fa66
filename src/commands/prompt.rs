//! `kaizen prompt show`: exactly what a model would be sent about an opportunity, with its tokens and its price.

use kaizen_agents::cycle::fold;
use kaizen_agents::preview::Preview;
use kaizen_domain::OpportunityId;
use kaizen_journal::{Filter, Noun};
use serde_json::json;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;
use crate::session::{Session, SessionOptions};

/// Prints the prompt: the text on standard output, the facts about it on standard error.
///
/// # Errors
/// When there is no such opportunity, no model is configured, or somebody else works on the repository.
pub fn show(options: SessionOptions, id: &str, plan: bool, json: bool) -> Result<Exit, Failure> {
    let session = Session::open(options)?;
    let Some(journal) = super::journal(Some(session.state_dir.clone()))? else {
        return Err(Failure::input("nothing has happened yet", "`kaizen run-cycle` finds opportunities"));
    };
    let found = super::find(&journal, id, Some(Noun::Opportunity))?;
    let unknown = || Failure::fault(format!("the journal does not know the cycle of {}", found.id));
    let cycle = found.cycle.ok_or_else(unknown)?;
    let cycle = fold(cycle, &journal.records(&Filter::cycle(cycle))?).map_err(|_| unknown())?;
    let opportunity: OpportunityId = found.id.parse().map_err(|_| unknown())?;
    drop(journal);
    let previewed = super::runtime()?.block_on(async {
        let kaizen = session.start().await?;
        let previewed = kaizen.preview(cycle, opportunity, plan).await;
        kaizen.stop().await;
        previewed.map_err(Failure::from)
    })?;
    let Some(Preview { who, route, format, tokens, counted, most, prompt, left_out }) = previewed else {
        let help = "`kaizen init --explain model` has the keys; `kaizen show` lists opportunities";
        return Err(Failure::input(format!("no model would be asked about {id}"), help));
    };
    if json {
        output::json(&json!({
            "of": "prompt", "who": who, "route": route, "format": format.word(), "tokens": tokens.0, "counted": counted,
            "most_usd": most, "system": prompt.system, "user": prompt.user,
            "schema": prompt.schema.as_ref().map(|schema| &schema.json), "left_out": left_out,
        }));
        return Ok(Exit::Done);
    }
    output::text(&format!("{}\n{}", prompt.system, prompt.user));
    let mut facts =
        format!("to {route}, as the {who}: {} tokens ({counted}), at most {most} with the answer", tokens.0);
    if let Some(schema) = &prompt.schema {
        facts.push_str(&format!("; the answer in the form `{}`", schema.name));
    }
    for piece in left_out.iter().take(8) {
        facts.push_str(&format!("\nno room for {piece}"));
    }
    if left_out.len() > 8 {
        facts.push_str(&format!("\nand for {} pieces more", left_out.len() - 8));
    }
    eprintln!("{facts}");
    Ok(Exit::Done)
}
