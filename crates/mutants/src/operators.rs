//! What may stand in place of a piece of code: each rule gives another one that the compiler is likely to take.

use quote::ToTokens as _;
use syn::{BinOp, Expr, Lit, ReturnType, Type, UnOp};

/// Another operator in place of this one, as it is written.
pub(crate) fn other_operators(operator: &BinOp) -> &'static [&'static str] {
    match operator {
        BinOp::Add(_) => &["-"],
        BinOp::Sub(_) => &["+"],
        BinOp::Mul(_) => &["+"],
        BinOp::Div(_) => &["*"],
        BinOp::Rem(_) => &["/"],
        BinOp::And(_) => &["||"],
        BinOp::Or(_) => &["&&"],
        BinOp::BitXor(_) => &["&"],
        BinOp::BitAnd(_) => &["|"],
        BinOp::BitOr(_) => &["&"],
        BinOp::Shl(_) => &[">>"],
        BinOp::Shr(_) => &["<<"],
        BinOp::Eq(_) => &["!="],
        BinOp::Ne(_) => &["=="],
        BinOp::Lt(_) => &["<=", ">"],
        BinOp::Le(_) => &["<", ">"],
        BinOp::Gt(_) => &[">=", "<"],
        BinOp::Ge(_) => &[">", "<"],
        BinOp::AddAssign(_) => &["-="],
        BinOp::SubAssign(_) => &["+="],
        BinOp::MulAssign(_) => &["+="],
        BinOp::DivAssign(_) => &["*="],
        BinOp::RemAssign(_) => &["/="],
        BinOp::BitXorAssign(_) => &["&="],
        BinOp::BitAndAssign(_) => &["|="],
        BinOp::BitOrAssign(_) => &["&="],
        BinOp::ShlAssign(_) => &[">>="],
        BinOp::ShrAssign(_) => &["<<="],
        _ => &[],
    }
}

/// Whether an operator changes what stands on its left.
pub(crate) fn is_assignment(operator: &BinOp) -> bool {
    matches!(
        operator,
        BinOp::AddAssign(_)
            | BinOp::SubAssign(_)
            | BinOp::MulAssign(_)
            | BinOp::DivAssign(_)
            | BinOp::RemAssign(_)
            | BinOp::BitXorAssign(_)
            | BinOp::BitAndAssign(_)
            | BinOp::BitOrAssign(_)
            | BinOp::ShlAssign(_)
            | BinOp::ShrAssign(_)
    )
}

/// Whether a unary operator may be left out.
pub(crate) fn may_be_left_out(operator: &UnOp, of: &Expr) -> bool {
    match operator {
        UnOp::Not(_) => true,
        // A literal has a mutant of its own.
        UnOp::Neg(_) => !matches!(of, Expr::Lit(_)),
        _ => false,
    }
}

/// Another literal.
pub(crate) fn other_literal(literal: &Lit) -> Option<String> {
    match literal {
        Lit::Bool(it) => Some((!it.value).to_string()),
        Lit::Int(it) => {
            let value: u128 = it.base10_parse().ok()?;
            let other = if value == 0 { 1 } else { value - 1 };
            Some(format!("{other}{}", it.suffix()))
        }
        Lit::Float(it) => Some(format!("({it} + 1.0)")),
        Lit::Str(it) if !it.value().is_empty() => Some("\"\"".to_owned()),
        Lit::Char(it) => Some(if it.value() == 'k' { "'z'" } else { "'k'" }.to_owned()),
        Lit::Byte(it) => Some(if it.value() == b'k' { "b'z'" } else { "b'k'" }.to_owned()),
        _ => None,
    }
}

/// Values that a function with this signature may return at once, each as an expression.
pub(crate) fn returned(output: &ReturnType) -> Vec<String> {
    match output {
        ReturnType::Default => vec!["()".to_owned()],
        ReturnType::Type(_, ty) => values(ty),
    }
}

fn values(ty: &Type) -> Vec<String> {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    match ty {
        Type::Tuple(tuple) if tuple.elems.is_empty() => texts(&["()"]),
        Type::Never(_) | Type::ImplTrait(_) => Vec::new(),
        Type::Reference(reference) => match &*reference.elem {
            Type::Path(path) if path.path.is_ident("str") && reference.mutability.is_none() => {
                texts(&["\"\"", "\"kaizen\""])
            }
            _ => Vec::new(),
        },
        Type::Path(path) => {
            let name = path.path.segments.last().map(|last| last.ident.to_string()).unwrap_or_default();
            match name.as_str() {
                "bool" => texts(&["true", "false"]),
                "u8" | "u16" | "u32" | "u64" | "u128" | "usize" | "i8" | "i16" | "i32" | "i64" | "i128" | "isize" => {
                    texts(&["0", "1"])
                }
                "f32" | "f64" => texts(&["0.0", "1.0"]),
                "String" => texts(&["Default::default()", "\"kaizen\".into()"]),
                "Option" => texts(&["None"]),
                "Result" => texts(&["Ok(Default::default())"]),
                _ => texts(&["Default::default()"]),
            }
        }
        Type::Tuple(_) => texts(&["Default::default()"]),
        _ => Vec::new(),
    }
}

/// A piece of code for a person, on one line and not too long.
pub(crate) fn shown(expression: &Expr) -> String {
    let text = expression.to_token_stream().to_string();
    let mut short: String = text.chars().take(40).collect();
    if short.len() < text.len() {
        short.push_str("..");
    }
    short
}
