//! Template: the repository's own form of a pull request, found and filled.
//!
//! The disclosure and the hidden mark of the operation come first, so that nothing in the form can hide them: no comment
//! that is never closed, no fold, no fence.

mod body;
mod checkbox;
mod fill;
mod sections;

use std::collections::BTreeMap;

use crate::candidate::{Kind, kind};

pub use body::{BodyParts, default_body};
pub use checkbox::Facts;

/// The form of a pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// Where it lies.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// Where a single form lies, the first that exists counting; then the folders with several.
const PLACES: [&str; 6] = [".github/", "", "docs/", ".gitlab/", ".gitea/", ".forgejo/"];

impl Template {
    /// The form that the host would offer: a single one, else the default or first one of a folder.
    #[must_use]
    pub fn find(files: &BTreeMap<String, String>) -> Option<Self> {
        let forms: Vec<(String, &String, &String)> = files
            .iter()
            .filter(|(path, _)| kind(path) == Some(Kind::Template))
            .map(|(path, text)| (path.to_lowercase().replace('_', "-"), path, text))
            .collect();
        let single = |place: &&str| {
            forms.iter().find(|(path, _, _)| {
                let rest = path.strip_prefix(*place).unwrap_or_default();
                !rest.contains('/')
                    && (rest.starts_with("pull-request-template") || rest.starts_with("merge-request-template"))
            })
        };
        let in_folder = |place: &&str| {
            let mut below = forms
                .iter()
                .filter(|(path, _, _)| path.strip_prefix(*place).is_some_and(|rest| rest.split('/').count() == 2));
            below
                .clone()
                .find(|(path, _, _)| path.rsplit('/').next().is_some_and(|name| name.starts_with("default")))
                .or_else(|| below.next())
        };
        PLACES
            .iter()
            .find_map(single)
            .or_else(|| PLACES.iter().find_map(in_folder))
            .map(|(_, path, text)| Self { path: (*path).clone(), text: (*text).clone() })
    }

    /// The form, filled: its own headings, our text below those that fit, the rest at the end.
    #[must_use]
    pub fn fill(&self, parts: &BodyParts) -> String {
        fill::fill(&self.text, parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_is_found_where_the_hosts_look() {
        let found = |paths: &[&str]| {
            let files = paths.iter().map(|path| ((*path).to_owned(), String::new())).collect();
            Template::find(&files).map(|template| template.path)
        };
        let some = |path: &str| Some(path.to_owned());
        assert_eq!(found(&["README.md"]), None);
        assert_eq!(
            found(&["docs/pull_request_template.md", "Pull_Request_Template.md"]),
            some("Pull_Request_Template.md")
        );
        assert_eq!(
            found(&[".github/PULL_REQUEST_TEMPLATE/b.md", ".github/PULL_REQUEST_TEMPLATE/a.md"]),
            some(".github/PULL_REQUEST_TEMPLATE/a.md")
        );
        assert_eq!(
            found(&[".gitlab/merge_request_templates/A.md", ".gitlab/merge_request_templates/Default.md"]),
            some(".gitlab/merge_request_templates/Default.md")
        );
        assert_eq!(found(&[".gitea/PULL_REQUEST_TEMPLATE.md"]), some(".gitea/PULL_REQUEST_TEMPLATE.md"));
        assert_eq!(
            found(&["PULL_REQUEST_TEMPLATE/x.md", ".github/pull_request_template.txt"]),
            some(".github/pull_request_template.txt")
        );
    }
}
