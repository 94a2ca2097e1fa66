//! Opening repositories of every kind, and what their condition says.

use std::path::Path;

use kaizen_repo::{Head, Repo, RepoError};

use crate::support::{Fixture, assert_untouched, branch, commit, fingerprint, git_in, hermetic, try_git_in};

#[test]
fn a_folder_without_a_repository_is_named_with_the_way_out() {
    hermetic();
    let dir = tempfile::tempdir().unwrap();
    let Err(error) = Repo::open(dir.path()) else { panic!("opened {}", dir.path().display()) };
    assert!(matches!(error, RepoError::NotARepository { .. }), "{error:?}");
    let text = error.to_string();
    assert!(text.contains(&dir.path().display().to_string()) && text.contains("git init"), "{text}");
    assert!(matches!(Repo::open(Path::new("/nonexistent/x")), Err(RepoError::NotARepository { .. })));
}

#[test]
fn a_repository_is_found_from_below_and_has_a_name() {
    let fixture = Fixture::new();
    let repo = Repo::open(&fixture.path().join("src")).unwrap();
    assert_eq!(repo.top().unwrap(), fixture.path().join(""));
    assert_eq!(repo.name(), "project");
    assert_eq!(repo.key().len(), 16);
    assert!(repo.key().bytes().all(|byte| byte.is_ascii_hexdigit()));
    assert_eq!(repo.key(), fixture.repo().key());
    assert_ne!(repo.key(), Fixture::empty().repo().key());
}

#[test]
fn linked_work_trees_have_the_key_and_name_of_their_repository() {
    let fixture = Fixture::new();
    let linked = fixture.beside("linked");
    fixture.git(["worktree", "add", "-q", "-b", "other", linked.to_str().unwrap()]);
    let repo = Repo::open(&linked).unwrap();
    assert_eq!((repo.key(), repo.name()), (fixture.repo().key(), "project".to_owned()));
    assert_eq!(repo.top().unwrap(), linked.join(""));
    assert_eq!(repo.condition().unwrap().head, Head::Branch(branch("other"), fixture.head()));
    assert_eq!(fixture.repo().checked_out(&branch("other")).unwrap(), Some(linked));
    assert_eq!(repo.checked_out(&branch("main")).unwrap().map(|top| top.join("")), Some(fixture.path().join("")));
    assert_eq!(repo.checked_out(&branch("neither")).unwrap(), None);
}

#[test]
fn the_condition_counts_changes_without_refreshing_the_index() {
    let fixture = Fixture::new();
    let clean = fixture.repo().condition().unwrap();
    assert_eq!(clean.head, Head::Branch(branch("main"), fixture.head()));
    assert_eq!((clean.dirty, clean.bare, clean.shallow, clean.partial_clone), (0, false, false, false));
    assert_eq!((clean.in_progress, clean.unreadable_index, clean.submodules), (None, None, 0));
    // Same content, other times: git itself would now write a refreshed index.
    let text = fixture.text("README.md");
    std::fs::remove_file(fixture.path().join("README.md")).unwrap();
    fixture.write("README.md", text);
    fixture.write("src/lib.rs", "changed");
    fixture.write("new/a", "");
    fixture.write("new/b", "");
    fixture.write("staged", "");
    fixture.git(["add", "staged"]);
    let before = fingerprint(fixture.path(), &[]);
    assert_eq!(fixture.repo().condition().unwrap().dirty, 3);
    assert_untouched(fixture.path(), &[], &before);
}

#[test]
fn a_repository_without_commits_is_unborn_and_says_so() {
    let fixture = Fixture::empty();
    assert_eq!(fixture.repo().condition().unwrap().head, Head::Unborn(branch("main")));
    let error = fixture.repo().commit_of("HEAD").unwrap_err();
    assert!(matches!(error, RepoError::Unborn { .. }), "{error:?}");
    assert!(error.to_string().contains("refs/heads/main") && error.to_string().contains("first commit"), "{error}");
}

#[test]
fn a_detached_head_is_told_from_a_branch() {
    let fixture = Fixture::new();
    fixture.git(["checkout", "-q", "--detach"]);
    assert_eq!(fixture.repo().condition().unwrap().head, Head::Detached(fixture.head()));
    assert_eq!(fixture.repo().commit_of("HEAD").unwrap(), (None, fixture.head()));
    assert_eq!(fixture.repo().checked_out(&branch("main")).unwrap(), None);
}

#[test]
fn a_bare_repository_opens_and_has_no_work_tree() {
    let fixture = Fixture::new();
    let bare = fixture.beside("copy.git");
    fixture.git(["clone", "-q", "--bare", ".", bare.to_str().unwrap()]);
    let repo = Repo::open(&bare).unwrap();
    assert_eq!((repo.top(), repo.name()), (None, "copy".to_owned()));
    assert!(repo.condition().unwrap().bare);
    assert_eq!(repo.checked_out(&branch("main")).unwrap(), None);
    assert_eq!(repo.files(&fixture.head()).unwrap().files.len(), 3);
    let error = repo.update_worktree(&bare, &branch("main"), &fixture.head(), &fixture.head()).unwrap_err();
    assert!(matches!(error, RepoError::Bare { .. }), "{error:?}");
}

#[test]
fn a_shallow_clone_is_recognised_also_from_its_linked_work_trees() {
    let fixture = Fixture::new();
    fixture.write("README.md", "# Y\n");
    fixture.commit_all("Second");
    let clone = fixture.beside("shallow");
    let url = format!("file://{}", fixture.path().display());
    fixture.git(["clone", "-q", "--depth", "1", &url, clone.to_str().unwrap()]);
    let repo = Repo::open(&clone).unwrap();
    assert!(repo.condition().unwrap().shallow);
    assert_eq!(repo.line_ages(&fixture.head(), &crate::support::rel("README.md"), &[1]).unwrap(), [None]);
    assert_eq!(repo.message_style(&fixture.head()).unwrap().subject(kaizen_domain::OpportunityKind::Goal, "x"), "X");
    let linked = fixture.beside("linked");
    git_in(&clone, ["worktree", "add", "-q", "-b", "other", linked.to_str().unwrap()]);
    let linked = Repo::open(&linked).unwrap();
    assert!(linked.condition().unwrap().shallow);
    assert!(linked.trailers(10).unwrap().is_empty());
}

#[test]
fn a_partial_clone_opens_and_names_the_objects_it_lacks() {
    let fixture = Fixture::new();
    fixture.git(["config", "uploadpack.allowFilter", "true"]);
    let clone = fixture.beside("partial");
    let url = format!("file://{}", fixture.path().display());
    fixture.git(["clone", "-q", "--filter=blob:none", "--no-checkout", &url, clone.to_str().unwrap()]);
    let repo = Repo::open(&clone).unwrap();
    assert!(repo.condition().unwrap().partial_clone);
    let error = repo.read(&fixture.head(), &crate::support::rel("README.md")).unwrap_err();
    assert!(matches!(error, RepoError::MissingObject { .. }), "{error:?}");
    assert!(error.to_string().contains("partial clone"), "{error}");
    let listing = repo.files(&fixture.head()).unwrap();
    assert_eq!((listing.files.len(), listing.skipped.len()), (0, 3));
    assert!(listing.skipped[0].1.contains("partial clone"), "{:?}", listing.skipped);
}

#[test]
fn forms_that_cannot_be_read_are_named_with_a_way_out() {
    hermetic();
    // What the settings of a repository say, since not every git can make one of each form.
    let forms = [("objectFormat", "sha256", "sha256"), ("refStorage", "reftable", "refs migrate")];
    for (extension, value, words) in forms {
        let dir = tempfile::tempdir().unwrap();
        git_in(dir.path(), ["init", "-q"]);
        git_in(dir.path(), ["config", "core.repositoryFormatVersion", "1"]);
        git_in(dir.path(), ["config", &format!("extensions.{extension}"), value]);
        let Err(error) = Repo::open(dir.path()) else { panic!("opened {value}") };
        assert!(matches!(error, RepoError::UnsupportedFormat { .. }), "{error:?}");
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn what_is_half_done_is_named_and_its_branch_counts_as_checked_out() {
    let fixture = Fixture::new();
    fixture.git(["checkout", "-q", "-b", "topic"]);
    fixture.write("README.md", "topic\n");
    fixture.commit_all("Topic");
    fixture.git(["checkout", "-q", "main"]);
    fixture.write("README.md", "main\n");
    fixture.commit_all("Main");
    assert!(!try_git_in(fixture.path(), ["merge", "topic"]).status.success());
    assert_eq!(fixture.repo().condition().unwrap().in_progress.as_deref(), Some("merge"));
    fixture.git(["merge", "--abort"]);
    assert!(!try_git_in(fixture.path(), ["rebase", "topic"]).status.success());
    let condition = fixture.repo().condition().unwrap();
    assert_eq!(condition.in_progress.as_deref(), Some("rebase"));
    assert!(matches!(condition.head, Head::Detached(_)));
    assert!(fixture.repo().checked_out(&branch("main")).unwrap().is_some());
    assert_eq!(fixture.repo().checked_out(&branch("topic")).unwrap(), None);
    fixture.write(".git/rebase-merge/update-refs", "refs/heads/topic\n0\n0\n");
    assert!(fixture.repo().checked_out(&branch("topic")).unwrap().is_some());
    fixture.git(["rebase", "--abort"]);
    assert_eq!(fixture.repo().condition().unwrap().in_progress, None);
}

#[test]
fn submodules_are_counted_and_never_entered() {
    let fixture = Fixture::new();
    fixture.git(["update-index", "--add", "--cacheinfo", &format!("160000,{},vendor/dep", fixture.head())]);
    fixture.git(["commit", "-q", "-m", "Add a submodule"]);
    assert_eq!(fixture.repo().condition().unwrap().submodules, 1);
}

#[test]
fn an_index_that_cannot_be_read_does_not_hide_the_rest() {
    let fixture = Fixture::new();
    std::fs::write(fixture.path().join(".git/index"), "not an index").unwrap();
    let condition = fixture.repo().condition().unwrap();
    assert!(condition.unreadable_index.is_some());
    assert_eq!(condition.head, Head::Branch(branch("main"), commit(fixture.head().as_str())));
}

#[test]
fn a_repository_of_somebody_else_is_refused_with_the_way_out() {
    let fixture = Fixture::new();
    // Only the superuser can give a folder away; nobody else can make this case.
    if std::os::unix::fs::chown(fixture.path(), Some(12_345), None).is_err() {
        return;
    }
    let Err(error) = Repo::open(&fixture.path().join("src")) else { panic!("opened a repository of another user") };
    assert!(matches!(&error, RepoError::NotOwned { path } if path == fixture.path()), "{error:?}");
    assert!(error.to_string().contains("safe.directory"), "{error}");
}
