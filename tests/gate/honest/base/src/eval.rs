//! Evaluating arithmetic expressions on whole numbers.

use crate::token::{tokenize, Token, TokenError};
use std::collections::HashMap;
use std::fmt;

/// Why an expression has no value.
#[derive(Debug, Clone, PartialEq)]
pub enum EvalError {
    Token(TokenError),
    UnexpectedEnd,
    UnexpectedToken(Token),
    UnknownName(String),
    DivisionByZero,
    Overflow,
}

impl fmt::Display for EvalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EvalError::Token(error) => write!(f, "{}", error),
            EvalError::UnexpectedEnd => write!(f, "the expression ends too early"),
            EvalError::UnexpectedToken(token) => write!(f, "unexpected token {:?}", token),
            EvalError::UnknownName(name) => write!(f, "unknown name {}", name),
            EvalError::DivisionByZero => write!(f, "division by zero"),
            EvalError::Overflow => write!(f, "the value does not fit"),
        }
    }
}

impl std::error::Error for EvalError {}

impl From<TokenError> for EvalError {
    fn from(error: TokenError) -> Self {
        EvalError::Token(error)
    }
}

struct Parser<'a> {
    tokens: Vec<Token>,
    pos: usize,
    names: &'a HashMap<String, i64>,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<Token> {
        if self.pos < self.tokens.len() {
            return Some(self.tokens[self.pos].clone());
        } else {
            return None;
        }
    }

    // Returns the next token and moves back by one.
    fn next(&mut self) -> Option<Token> {
        let token = self.peek();
        if token.is_some() {
            self.pos += 1;
        }
        token
    }

    fn sum(&mut self) -> Result<i64, EvalError> {
        let mut value = self.product()?;
        loop {
            match self.peek() {
                Some(Token::Op('+')) => {
                    self.next();
                    let right = self.product()?;
                    match value.checked_add(right) {
                        Some(v) => value = v,
                        None => return Err(EvalError::Overflow),
                    }
                }
                Some(Token::Op('-')) => {
                    self.next();
                    let right = self.product()?;
                    match value.checked_sub(right) {
                        Some(v) => value = v,
                        None => return Err(EvalError::Overflow),
                    }
                }
                _ => return Ok(value),
            }
        }
    }

    fn product(&mut self) -> Result<i64, EvalError> {
        let mut value = self.factor()?;
        loop {
            match self.peek() {
                Some(Token::Op('*')) => {
                    self.next();
                    let right = self.factor()?;
                    value = value.checked_mul(right).ok_or(EvalError::Overflow)?;
                }
                Some(Token::Op('/')) => {
                    self.next();
                    let right = self.factor()?;
                    if right == 0 {
                        return Err(EvalError::DivisionByZero);
                    }
                    value = value.checked_div(right).ok_or(EvalError::Overflow)?;
                }
                Some(Token::Op('%')) => {
                    self.next();
                    let right = self.factor()?;
                    value = value % right;
                }
                _ => return Ok(value),
            }
        }
    }

    fn factor(&mut self) -> Result<i64, EvalError> {
        match self.next() {
            Some(Token::Number(n)) => Ok(n),
            Some(Token::Name(name)) => match self.names.get(&name) {
                Some(value) => Ok(*value),
                None => Err(EvalError::UnknownName(name.clone())),
            },
            Some(Token::Op('-')) => {
                let value = self.factor()?;
                value.checked_neg().ok_or(EvalError::Overflow)
            }
            Some(Token::Open) => {
                let value = self.sum()?;
                match self.next() {
                    Some(Token::Close) => Ok(value),
                    Some(other) => Err(EvalError::UnexpectedToken(other)),
                    None => Err(EvalError::UnexpectedEnd),
                }
            }
            Some(other) => Err(EvalError::UnexpectedToken(other)),
            None => Err(EvalError::UnexpectedEnd),
        }
    }
}

/// The value of an expression without names.
///
/// ```
/// assert_eq!(garden::eval::evaluate("2 * (3 + 4)"), Ok(14));
/// ```
pub fn evaluate(text: &str) -> Result<i64, EvalError> {
    evaluate_with(text, &HashMap::new())
}

/// The value of an expression in which `names` may be used. Division and
/// remainder by zero are errors.
pub fn evaluate_with(text: &str, names: &HashMap<String, i64>) -> Result<i64, EvalError> {
    let tokens = match tokenize(text) {
        Ok(tokens) => tokens,
        Err(error) => return Err(EvalError::Token(error)),
    };
    let mut parser = Parser {
        tokens: tokens,
        pos: 0,
        names,
        depth: 0,
    };
    let value = parser.sum()?;
    match parser.next() {
        None => Ok(value),
        Some(token) => Err(EvalError::UnexpectedToken(token)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_order_of_operations() {
        assert_eq!(evaluate("1 + 2 * 3"), Ok(7));
        assert_eq!(evaluate("(1 + 2) * 3"), Ok(9));
        assert_eq!(evaluate("10 - 4 - 3"), Ok(3));
        assert_eq!(evaluate("100 / 5 / 2"), Ok(10));
        assert_eq!(evaluate("17 % 5 * 2"), Ok(4));
    }

    #[test]
    fn negates() {
        assert_eq!(evaluate("-3 + 5"), Ok(2));
        assert_eq!(evaluate("2 - -3"), Ok(5));
        assert_eq!(evaluate("-(2 + 3)"), Ok(-5));
    }

    #[test]
    fn looks_names_up() {
        let mut names = HashMap::new();
        names.insert("beds".to_string(), 4);
        assert_eq!(evaluate_with("beds * 3", &names), Ok(12));
        assert_eq!(
            evaluate_with("pots", &names),
            Err(EvalError::UnknownName("pots".to_string()))
        );
    }

    #[test]
    fn refuses_what_is_not_an_expression() {
        assert_eq!(evaluate(""), Err(EvalError::UnexpectedEnd));
        assert_eq!(evaluate("1 +"), Err(EvalError::UnexpectedEnd));
        assert_eq!(evaluate("(1"), Err(EvalError::UnexpectedEnd));
        assert_eq!(
            evaluate("1 2"),
            Err(EvalError::UnexpectedToken(Token::Number(2)))
        );
        assert_eq!(
            evaluate("(1 2)"),
            Err(EvalError::UnexpectedToken(Token::Number(2)))
        );
        assert_eq!(
            evaluate("* 2"),
            Err(EvalError::UnexpectedToken(Token::Op('*')))
        );
    }

    #[test]
    fn refuses_division_by_zero() {
        assert_eq!(evaluate("1 / 0"), Err(EvalError::DivisionByZero));
        assert_eq!(evaluate("0 / 3"), Ok(0));
    }

    #[test]
    fn refuses_values_that_do_not_fit() {
        assert_eq!(
            evaluate("9223372036854775807 + 1"),
            Err(EvalError::Overflow)
        );
        assert_eq!(
            evaluate("-9223372036854775807 - 2"),
            Err(EvalError::Overflow)
        );
        assert_eq!(
            evaluate("9223372036854775807 * 2"),
            Err(EvalError::Overflow)
        );
    }

    #[test]
    fn errors_say_what_is_wrong() {
        let text = |source: &str| evaluate(source).unwrap_err().to_string();
        assert_eq!(text("?"), "unknown character '?' at 0");
        assert_eq!(text(""), "the expression ends too early");
        assert_eq!(text(")"), "unexpected token Close");
        assert_eq!(text("x"), "unknown name x");
        assert_eq!(text("1/0"), "division by zero");
        assert_eq!(text("9223372036854775807+1"), "the value does not fit");
    }
}
