//! Run-length coding of text without digits.

/// Why a text is not run-length coded.
#[derive(Debug, Clone, PartialEq)]
pub enum DecodeError {
    /// A character without a count before it.
    MissingCount(char),
    /// A count without a character after it.
    MissingChar,
    /// A count that is zero or does not fit.
    BadCount(String),
}

/// Writes each run of equal characters as its length and the character.
///
/// ```
/// assert_eq!(garden::rle::encode("aaab"), "3a1b");
/// ```
pub fn encode(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::new();
    if chars.len() == 0 {
        return out;
    }
    let mut current = chars[0];
    let mut n = 1;
    for i in 1..chars.len() {
        if chars[i] == current {
            n += 1;
        } else {
            out.push_str(&format!("{}{}", n, current));
            current = chars[i];
            n = 1;
        }
    }
    out.push_str(&format!("{}{}", n, current));
    return out;
}

/// Reads what [`encode`] wrote.
pub fn decode(code: &str) -> Result<String, DecodeError> {
    let mut out = String::new();
    let mut digits = String::new();
    for c in code.chars() {
        if c.is_ascii_digit() {
            digits.push(c);
        } else {
            if digits.len() == 0 {
                return Err(DecodeError::MissingCount(c));
            }
            let count = match digits.parse::<u16>() {
                Ok(0) => return Err(DecodeError::BadCount(digits.clone())),
                Ok(count) => count,
                Err(_) => return Err(DecodeError::BadCount(digits.clone())),
            };
            for _ in 0..count {
                out.push(c);
            }
            digits = String::new();
        }
    }
    Ok(out)
}

/// The length of the longest run of one character.
pub fn longest_run(text: &str) -> usize {
    let mut best = 0;
    let mut run = 0;
    let mut last: Option<char> = None;
    for c in text.chars() {
        if last.is_some() && last.unwrap() == c {
            run += 1;
        } else {
            run = 1;
        }
        last = Some(c);
        if run > best {
            best = run;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodes_runs() {
        assert_eq!(encode(""), "");
        assert_eq!(encode("a"), "1a");
        assert_eq!(encode("aabccc"), "2a1b3c");
        assert_eq!(encode("äää"), "3ä");
        assert_eq!(encode(&"z".repeat(12)), "12z");
    }

    #[test]
    fn decodes_runs() {
        assert_eq!(decode("").unwrap(), "");
        assert_eq!(decode("2a1b3c").unwrap(), "aabccc");
        assert_eq!(decode("12z").unwrap(), "z".repeat(12));
    }

    #[test]
    fn refuses_broken_code() {
        assert_eq!(decode("a"), Err(DecodeError::MissingCount('a')));
        assert_eq!(decode("2ab"), Err(DecodeError::MissingCount('b')));
        assert_eq!(decode("0a"), Err(DecodeError::BadCount("0".to_string())));
        assert_eq!(
            decode("65536a"),
            Err(DecodeError::BadCount("65536".to_string()))
        );
        assert_eq!(decode("65535a").unwrap().len(), 65535);
    }

    #[test]
    fn finds_the_longest_run() {
        assert_eq!(longest_run(""), 0);
        assert_eq!(longest_run("abc"), 1);
        assert_eq!(longest_run("abbbcc"), 3);
        assert_eq!(longest_run("aabbbb"), 4);
    }
}
