//! The real git remote: pushes that are taken, refused, and cut. Runs with `KAIZEN_TEST_ALL=1`.

use std::path::Path;
use std::process::{Command, Output};

use kaizen_forgestand::git_remote::Credential;
use kaizen_forgestand::install::{all_tests, usual_cache};
use kaizen_forgestand::{GitRemote, base64};

fn credential(user: &str, password: &str, may_push: bool) -> Credential {
    Credential { user: user.to_owned(), password: password.to_owned(), may_push }
}

fn git(folder: &Path, user: &str, args: &[&str]) -> Output {
    let header = format!("http.extraHeader=Authorization: Basic {}", base64::encode(user.as_bytes()));
    let mut command = Command::new("git");
    command.args(["-c", &header, "-c", "user.name=t", "-c", "user.email=t@example.invalid"]).args(args);
    command.current_dir(folder).env("GIT_TERMINAL_PROMPT", "0").env("GIT_CONFIG_GLOBAL", "/dev/null");
    command.output().expect("git can be run")
}

#[test]
fn pushes_are_taken_refused_and_cut() {
    if !all_tests() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let users = [credential("x-access-token", "s3cret-token", true), credential("reader", "r", false)];
    let remote = GitRemote::start(&usual_cache(), &folder.path().join("remote"), &users);
    let repository = remote.create("acme", "ledger");
    let clone = folder.path().join("clone");
    std::fs::create_dir(&clone).unwrap();
    let (writer, reader) = ("x-access-token:s3cret-token", "reader:r");
    assert!(git(&clone, writer, &["init", "-q", "-b", "main"]).status.success());
    assert!(git(&clone, writer, &["commit", "-q", "--allow-empty", "-m", "begin"]).status.success());
    let push = |user: &str, url: &str, spec: &str| {
        let output = git(&clone, user, &["push", url, spec]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.success(), said)
    };
    let first = push(writer, &repository.url, "main");
    assert!(first.0, "{}\n{}", first.1, remote.errors());
    assert!(repository.bare.tip("main").is_some());

    let refused = push(reader, &repository.url, "main:other");
    assert!(!refused.0 && refused.1.contains("403"), "{}", refused.1);
    assert!(git(&clone, reader, &["ls-remote", &repository.url]).status.success());
    let unknown = push("x-access-token:wrong", &repository.url, "main:other");
    assert!(!unknown.0, "{}", unknown.1);

    remote.protect(&repository, "main", true);
    assert!(git(&clone, writer, &["commit", "-q", "--allow-empty", "-m", "more"]).status.success());
    let protected = push(writer, &repository.url, "main");
    assert!(!protected.0 && protected.1.contains("GH006: Protected branch update failed"), "{}", protected.1);
    assert!(push(writer, &repository.url, "main:kaizen/c7").0);

    // Noise that does not compress, so that the cut falls into the pack.
    let noise: Vec<u8> =
        (0_u64..300_000).map(|n| (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as u8 ^ ((n * n) >> 7) as u8).collect();
    std::fs::write(clone.join("noise"), noise).unwrap();
    assert!(git(&clone, writer, &["add", "noise"]).status.success());
    assert!(git(&clone, writer, &["commit", "-q", "-m", "noise"]).status.success());
    remote.cut_after(20_000);
    let cut = push(writer, &repository.cuttable_url, "main:kaizen/cut");
    assert!(!cut.0, "{}", cut.1);
    assert_eq!((remote.cuts(), repository.bare.tip("kaizen/cut")), (1, None));
    let again = push(writer, &repository.cuttable_url, "main:kaizen/cut");
    assert!(again.0, "{}", again.1);

    let log = remote.log();
    assert!(log.iter().any(|line| line.contains("x-access-token \"POST /acme/ledger.git/git-receive-pack")), "{log:?}");
    assert!(log.iter().any(|line| line.starts_with("reader ") && line.ends_with(" 403")), "{log:?}");
    assert!(!log.iter().any(|line| line.contains("s3cret")), "{log:?}");
    let port = remote.port();
    drop(remote);
    assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err(), "it is gone");
}
