//! Splitting an arithmetic expression into tokens.

use std::fmt;

/// One token of an expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Token {
    Number(i64),
    Name(String),
    Op(char),
    Open,
    Close,
}

/// Why a text could not be split into tokens.
#[derive(Debug, Clone, PartialEq)]
pub enum TokenError {
    UnknownChar { at: usize, found: char },
    NumberTooLarge { at: usize },
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TokenError::UnknownChar { at, found } => {
                write!(f, "unknown character '{}' at {}", found, at)
            }
            TokenError::NumberTooLarge { at } => write!(f, "number too large at {}", at),
        }
    }
}

impl std::error::Error for TokenError {}

fn is_operator(c: char) -> bool {
    match c {
        '+' | '-' | '*' | '/' | '%' => true,
        _ => false,
    }
}

/// Splits `text` into tokens. Positions in errors count characters from 0.
pub fn tokenize(text: &str) -> Result<Vec<Token>, TokenError> {
    let chars: Vec<char> = text.chars().collect();
    let mut tokens: Vec<Token> = Vec::new();
    let mut i = 0;
    while i < chars.len() {
        let c = chars[i];
        if c.is_whitespace() {
            i = i + 1;
            continue;
        }
        if c.is_ascii_digit() {
            let start = i;
            while i < chars.len() && chars[i].is_ascii_digit() {
                i += 1;
            }
            let digits: String = chars[start..i].iter().collect();
            match digits.parse::<i64>() {
                Ok(n) => tokens.push(Token::Number(n)),
                Err(_) => return Err(TokenError::NumberTooLarge { at: start }),
            }
            continue;
        }
        if c.is_ascii_alphabetic() {
            let start = i;
            while i < chars.len() && chars[i].is_ascii_alphanumeric() {
                i += 1;
            }
            let name: String = chars[start..i].iter().collect();
            tokens.push(Token::Name(name.clone()));
            continue;
        }
        if c == '(' {
            tokens.push(Token::Open);
        } else if c == ')' {
            tokens.push(Token::Close);
        } else if is_operator(c) == true {
            tokens.push(Token::Op(c));
        } else {
            return Err(TokenError::UnknownChar { at: i, found: c });
        }
        i += 1;
    }
    return Ok(tokens);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_numbers_names_and_signs() {
        assert_eq!(
            tokenize("12+(ab3 * 4)").unwrap(),
            vec![
                Token::Number(12),
                Token::Op('+'),
                Token::Open,
                Token::Name("ab3".to_string()),
                Token::Op('*'),
                Token::Number(4),
                Token::Close,
            ]
        );
    }

    #[test]
    fn knows_all_operators() {
        for c in "+-*/%".chars() {
            assert_eq!(tokenize(&c.to_string()).unwrap(), vec![Token::Op(c)]);
        }
    }

    #[test]
    fn empty_text_has_no_tokens() {
        assert_eq!(tokenize("").unwrap(), vec![]);
        assert_eq!(tokenize(" \t ").unwrap(), vec![]);
    }

    #[test]
    fn names_the_place_of_an_unknown_character() {
        let error = tokenize("1 + é").unwrap_err();
        assert_eq!(error, TokenError::UnknownChar { at: 4, found: 'é' });
        assert_eq!(error.to_string(), "unknown character 'é' at 4");
    }

    #[test]
    fn refuses_a_number_that_does_not_fit() {
        assert_eq!(
            tokenize("9223372036854775807").unwrap(),
            vec![Token::Number(i64::MAX)]
        );
        let error = tokenize(" 9223372036854775808").unwrap_err();
        assert_eq!(error, TokenError::NumberTooLarge { at: 1 });
        assert_eq!(error.to_string(), "number too large at 1");
    }
}
