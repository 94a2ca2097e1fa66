//! Whether git would convert a file on its way into a work tree. Kaizen writes bytes as they are and runs no filter,
//! so where git would do otherwise, it leaves the work tree alone.

use std::path::Path;

use git2::{AttrCheckFlags, AttrValue, Repository};

/// What git would do to a file's content when it checks it out; `None` when it would write it as it is.
pub(crate) fn conversion(repo: &Repository, path: &Path) -> Result<Option<String>, git2::Error> {
    let get = |name| {
        let value = repo.get_attr_bytes(path, name, AttrCheckFlags::FILE_THEN_INDEX)?;
        Ok::<_, git2::Error>(Attribute::of(AttrValue::from_bytes(value)))
    };
    match get("filter")? {
        Attribute::Unset | Attribute::Unspecified => {}
        Attribute::Set => return Ok(Some("its attributes name a filter".to_owned())),
        Attribute::Value(name) => return Ok(Some(format!("its attributes name the filter {name:?}"))),
    }
    if let Attribute::Value(encoding) = get("working-tree-encoding")? {
        return Ok(Some(format!("its attributes ask for the encoding {encoding:?}")));
    }
    if get("ident")? == Attribute::Set {
        return Ok(Some("its attributes ask for `$Id$` to be filled in".to_owned()));
    }
    let text = match get("text")? {
        Attribute::Unspecified => get("crlf")?,
        text => text,
    };
    let config = repo.config()?;
    let setting = |key| config.get_string(key).unwrap_or_default().to_ascii_lowercase();
    let auto_crlf = setting("core.autocrlf");
    let asked = match (&text, get("eol")?) {
        (Attribute::Unset, _) => false,
        (_, Attribute::Value(eol)) => eol == "crlf",
        (Attribute::Value(text), _) if text == "input" => false,
        _ if git2::Config::parse_bool(auto_crlf.as_str()).unwrap_or(false) => true,
        _ if auto_crlf == "input" => false,
        (Attribute::Unspecified, _) => false,
        _ => setting("core.eol") == "crlf",
    };
    Ok(asked.then(|| "its attributes or `core.autocrlf` ask for CRLF line ends".to_owned()))
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Attribute {
    Set,
    Unset,
    Unspecified,
    Value(String),
}

impl Attribute {
    fn of(value: AttrValue<'_>) -> Self {
        match value {
            AttrValue::True => Self::Set,
            AttrValue::False => Self::Unset,
            AttrValue::Unspecified => Self::Unspecified,
            AttrValue::String(text) => Self::Value(text.to_owned()),
            AttrValue::Bytes(bytes) => Self::Value(crate::error::lossy(bytes)),
        }
    }
}
