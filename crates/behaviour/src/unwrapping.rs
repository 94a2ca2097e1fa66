//! Values inside of what functions give back: in a `Result`, an `Option`, or together with others.

/// How a value is taken out of what a function gives back.
pub(crate) struct Unwrapping {
    /// The type that it has.
    pub core: String,
    /// The code that takes it out.
    pub text: String,
    /// What asks whether there is something to be taken out, where there may be nothing.
    pub is_taken: Option<&'static str>,
    /// It is what a function says that it cannot.
    pub is_error: bool,
}

/// The ways to take one out; of several values given back together, each of them is one.
pub(crate) fn unwrapping(output: &str) -> Vec<Unwrapping> {
    let (head, rest) = output.split_once('<').unwrap_or((output, ""));
    let last = head.rsplit("::").next().unwrap_or(head).trim();
    let mut inside = parts(rest).into_iter();
    let first = inside.next().unwrap_or_default();
    let (core, text, is_taken) = match last {
        "Result" => (first, ".unwrap_or_else(|_| reject())", Some(".is_ok()")),
        "Option" => (first, ".unwrap_or_else(|| reject())", Some(".is_some()")),
        _ => (output.trim().to_owned(), "", None),
    };
    // What gives nothing else is there for what it does, which may be to wait for others.
    let gives = is_plain(&core) || core.starts_with(['&', '(', '[']) && core != "()";
    let error = inside.next().filter(|error| last == "Result" && gives && is_plain(error));
    let all: Vec<(String, String)> = match core.strip_prefix('(').and_then(|inside| inside.strip_suffix(')')) {
        Some(inside) => (0..).zip(parts(inside)).map(|(at, core)| (core, format!("{text}.keep_{at}()"))).collect(),
        None => vec![(core, text.to_owned())],
    };
    let plain = all.into_iter().filter(|(core, _)| is_plain(core));
    let error = error.map(|core| Unwrapping {
        core,
        text: ".err().unwrap_or_else(|| reject())".to_owned(),
        is_taken: Some(".is_err()"),
        is_error: true,
    });
    plain.map(|(core, text)| Unwrapping { core, text, is_taken, is_error: false }).chain(error).collect()
}

fn is_plain(core: &str) -> bool {
    let plain = core.chars().next().is_some_and(|first| first.is_alphabetic() || first == '_');
    plain && !core.starts_with("impl ") && !core.starts_with("dyn ")
}

/// What stands between commas, up to the bracket that ends it.
pub(crate) fn parts(rest: &str) -> Vec<String> {
    let (mut all, mut depth) = (vec![String::new()], 0_i32);
    for one in rest.chars() {
        depth += match one {
            '<' | '(' | '[' => 1,
            '>' | ')' | ']' => -1,
            _ => 0,
        };
        match one {
            _ if depth < 0 => break,
            ',' if depth == 0 => all.push(String::new()),
            one => all.iter_mut().last().into_iter().for_each(|part| part.push(one)),
        }
    }
    all.into_iter().map(|part| part.trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_function_gives_back_is_taken_out() {
        let cores = |output: &str| -> Vec<String> { unwrapping(output).into_iter().map(|found| found.core).collect() };
        assert_eq!(cores("Result < Self , Vec < Error > >"), ["Self", "Vec < Error >"]);
        assert!(unwrapping("Result < u8 , Error >").iter().any(|found| found.is_error && found.core == "Error"));
        assert!(unwrapping("Result < () , Error >").is_empty());
        assert_eq!(cores("io :: Result < Cache < 'a , T > >"), ["Cache < 'a , T >"]);
        assert_eq!(cores("Option < Self >"), ["Self"]);
        assert_eq!(cores("(Self , mpsc :: Receiver < (u8 , Event) >)"), ["Self", "mpsc :: Receiver < (u8 , Event) >"]);
        assert_eq!(unwrapping("Option < (u8 , Self) >")[1].text, ".unwrap_or_else(|| reject()).keep_1()");
        assert_eq!(cores("& Self"), [""; 0]);
        assert_eq!(cores("impl Iterator < Item = Self >"), [""; 0]);
    }
}
