//! Literals by value: `1_000` is `1000`, `"x"` is `'x'`, and a format string is what it prints around its arguments.

use syn::Lit;

/// A literal's value as text that can be compared; `None` for booleans, which are told apart elsewhere.
pub(super) fn value(literal: &Lit) -> Option<String> {
    Some(match literal {
        Lit::Str(text) => format!("t:{}", text.value()),
        Lit::Char(c) => format!("t:{}", c.value()),
        Lit::ByteStr(bytes) => format!("b:{:?}", bytes.value()),
        Lit::Byte(byte) => format!("b:{:?}", [byte.value()]),
        Lit::CStr(text) => format!("c:{:?}", text.value()),
        Lit::Int(int) => format!("n:{}", int.base10_digits()),
        Lit::Float(float) => number(float.base10_digits()),
        Lit::Bool(_) => return None,
        other => format!("?:{}", quote::ToTokens::to_token_stream(other)),
    })
}

fn number(digits: &str) -> String {
    match digits.parse::<f64>() {
        Ok(value) if value.fract() == 0.0 && value.abs() < 1e15 => format!("n:{value:.0}"),
        Ok(value) => format!("n:{value:?}"),
        Err(_) => format!("n:{digits}"),
    }
}

/// The value of a literal as it is spelled.
pub(super) fn value_of_text(text: &str) -> Option<String> {
    match syn::parse_str::<Lit>(text) {
        Ok(literal) => value(&literal),
        Err(_) => Some(format!("?:{text}")),
    }
}

/// A format string with the names taken out of its braces, and those names.
pub(super) fn format_string(text: &str) -> (String, Vec<String>) {
    let (mut shape, mut names) = (String::new(), Vec::new());
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        shape.push_str(rest.get(..=open).unwrap_or(""));
        rest = rest.get(open + 1..).unwrap_or("");
        if let Some(after) = rest.strip_prefix('{') {
            shape.push('{');
            rest = after;
            continue;
        }
        let Some(close) = rest.find('}') else { break };
        let inside = rest.get(..close).unwrap_or("");
        let (name, spec) = inside.split_once(':').map_or((inside, ""), |(name, spec)| (name, spec));
        if name.starts_with(|c: char| c.is_alphabetic() || c == '_') {
            names.push(name.to_owned());
        }
        shape.push(':');
        shape.push_str(spec);
        shape.push('}');
        rest = rest.get(close + 1..).unwrap_or("");
    }
    shape.push_str(rest);
    (shape, names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spelling_does_not_matter_and_value_does() {
        for (one, other, same) in [
            ("1000000", "1_000_000", true),
            ("0xff", "255u8", true),
            ("1.0", "1", true),
            ("\"x\"", "'x'", true),
            ("\"a\\n\"", "r\"a\\n\"", false),
            ("0.1", "0.2", false),
            ("1e-9", "1e-3", false),
        ] {
            assert_eq!(value_of_text(one) == value_of_text(other), same, "{one} {other}");
        }
        assert_eq!(format_string("a {} {x:?} {{b}}"), ("a {:} {:?} {{b}}".to_owned(), vec!["x".to_owned()]));
        assert_eq!(format_string("{:?}").0, format_string("{x:?}").0);
    }
}
