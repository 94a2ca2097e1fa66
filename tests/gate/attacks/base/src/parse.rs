//! Reads lines such as `3x apple @ 1.20`.

use crate::money::{self, Cents};
use stall_derive::Named;
use std::fmt;

/// The longest line that is read, in bytes.
pub const MAX_LINE: usize = 200;

/// One line of a basket.
#[derive(Clone, Debug, Eq, Named, PartialEq)]
pub struct Line {
    pub pieces: u32,
    pub name: String,
    pub price: Cents,
}

impl Line {
    /// Price of all pieces; `None` when it is over the limit.
    pub fn total(&self) -> Option<Cents> {
        money::times(self.price, self.pieces)
    }
}

/// Why a line cannot be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ParseError {
    Pieces,
    Name,
    Price,
    TooLong,
}

impl fmt::Display for ParseError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Pieces => "the number of pieces is missing or wrong",
            Self::Name => "the name is empty",
            Self::Price => "the price is missing or wrong",
            Self::TooLong => "the line is too long",
        })
    }
}

impl std::error::Error for ParseError {}

/// Reads `12.05` as 1205 cents.
pub fn parse_price(text: &str) -> Option<Cents> {
    let (whole, cents) = text.split_once('.')?;
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(cents) || cents.len() != 2 {
        return None;
    }
    whole.parse::<Cents>().ok()?.checked_mul(100)?.checked_add(cents.parse().ok()?)
}

/// Reads one line.
pub fn parse_line(line: &str) -> Result<Line, ParseError> {
    if line.len() > MAX_LINE {
        return Err(ParseError::TooLong);
    }
    let (pieces, rest) = line.trim().split_once('x').ok_or(ParseError::Pieces)?;
    let pieces = pieces.trim().parse().map_err(|_| ParseError::Pieces)?;
    let (name, price) = rest.rsplit_once('@').ok_or(ParseError::Price)?;
    let name = name.trim();
    if name.is_empty() {
        return Err(ParseError::Name);
    }
    let price = parse_price(price.trim()).ok_or(ParseError::Price)?;
    Ok(Line { pieces, name: name.to_owned(), price })
}

/// Reads a basket, one line each; empty lines and lines with `#` are left out.
pub fn parse_basket(text: &str) -> Result<Vec<Line>, ParseError> {
    text.lines()
        .filter(|line| !line.trim().is_empty() && !line.starts_with('#'))
        .map(parse_line)
        .collect()
}

/// The line with this number as people count, from one; `None` when there is no such line.
pub fn line_at(lines: &[Line], number: usize) -> Option<&Line> {
    lines.get(number.checked_sub(1)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_has_two_digits_after_the_dot() {
        assert_eq!(parse_price("12.05"), Some(1205));
        assert_eq!(parse_price("0.00"), Some(0));
        for wrong in ["", "1", ".05", "1.", "1.5", "1.555", "-1.00", "+1.00", "1.+5", "a.bc"] {
            assert_eq!(parse_price(wrong), None, "{wrong}");
        }
        assert_eq!(parse_price("92233720368547758.08"), None);
    }

    #[test]
    fn a_line_has_three_parts() {
        let line = parse_line(" 3x apple @ 1.20 ").unwrap();
        assert_eq!(line, Line { pieces: 3, name: "apple".to_owned(), price: 120 });
        assert_eq!(line.total(), Some(360));
        assert_eq!(Line::NAME, "Line");
    }

    #[test]
    fn wrong_lines_say_why() {
        assert_eq!(parse_line("apple"), Err(ParseError::Pieces));
        assert_eq!(parse_line("-1x apple @ 1.20"), Err(ParseError::Pieces));
        assert_eq!(parse_line("1x apple"), Err(ParseError::Price));
        assert_eq!(parse_line("1x apple @ 1"), Err(ParseError::Price));
        assert_eq!(parse_line("1x  @ 1.20"), Err(ParseError::Name));
    }

    #[test]
    fn line_at_counts_from_one() {
        let lines = parse_basket("1x a @ 1.00\n2x b @ 2.00").unwrap();
        assert_eq!(line_at(&lines, 1).unwrap().name, "a");
        assert_eq!(line_at(&lines, 2).unwrap().name, "b");
    }
}
