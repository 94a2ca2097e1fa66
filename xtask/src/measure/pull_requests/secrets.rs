//! Secrets: every place that the program writes or sends to, and whether a token or a key is found there.

use std::path::Path;

use anyhow::Result;
use kaizen_forgestand::base64;

use super::super::scratch::everything_below;
use super::stand::{Behind, KEY, Stand, TOKEN};

/// Where a secret was seen. `printed` is what the program wrote to the terminal, at the most detail.
///
/// # Errors
/// When the forge does not show what it holds.
pub fn seen(stand: &Stand, printed: &str) -> Result<Vec<String>> {
    // Basic auth carries it in another form, and addresses in a third.
    let basic = base64::encode(format!("x-access-token:{TOKEN}").as_bytes());
    let needles = [TOKEN.to_owned(), KEY.to_owned(), basic, TOKEN.replace('/', "%2F"), KEY.replace('/', "%2F")];
    let mut found = Vec::new();
    let mut look = |place: &str, bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        if needles.iter().any(|needle| text.contains(needle.as_str())) {
            found.push(place.to_owned());
        }
    };
    look("the output", printed.as_bytes());
    for folder in [stand.place.state.as_path(), stand.place.repo.as_path()] {
        for path in everything_below(folder) {
            look(&path.display().to_string(), &content(&folder.join(&path)));
            look("the name of a file", path.as_os_str().as_encoded_bytes());
        }
    }
    stand.calls().iter().for_each(|call| look("an address of the forge", call.target.as_bytes()));
    stand.git_log().iter().for_each(|line| look("an address of git", line.as_bytes()));
    if let Behind::Scripted(forge) = &stand.behind {
        forge.requests().iter().for_each(|request| look("an address of the forge", format!("{request:?}").as_bytes()));
    }
    for request in stand.model.requests() {
        look("a question to the model", request.body.to_string().as_bytes());
    }
    for (number, pull) in (1..).zip(stand.pulls()?) {
        look("a pull request", format!("{pull:?}").as_bytes());
        look("a comment", format!("{:?}", stand.said(number)?).as_bytes());
    }
    Ok(found)
}

fn content(path: &Path) -> Vec<u8> {
    if path.is_symlink() { Vec::new() } else { std::fs::read(path).unwrap_or_default() }
}
