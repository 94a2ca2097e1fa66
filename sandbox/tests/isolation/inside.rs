//! What a command finds inside: its own identity, environment, network and home, and no trace of Kaizen's secrets.

use std::process::exit;

use kaizen_domain::LayerState;
use kaizen_sandbox::isolation::{Cancel, Exit, Isolation, IsolationError, Limits, Stream};

use crate::support::{GOT_THROUGH, REFUSED, inside, isolation, outside, plain_command, probe_job, run, text};

const SECRET: &str = "canary-7f3a91c2";
/// What probes are given, so that their own arguments do not hold the secret.
const BACKWARDS: &str = "2c19a3f7-yranac";

fn status(printed: &str, name: &str) -> String {
    let line = printed.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.expect("a line of the status").trim().to_owned()
}

#[test]
fn the_command_is_nobody_special_and_holds_no_capability() {
    let finished = inside("status", "");
    let printed = text(&finished.stdout);
    assert_eq!(status(&printed, "Uid"), "1000\t1000\t1000\t1000");
    assert_eq!(status(&printed, "Gid"), "1000\t1000\t1000\t1000");
    for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
        assert_eq!(status(&printed, set), "0000000000000000", "{set}");
    }
    assert_eq!(status(&printed, "NoNewPrivs"), "1");
    assert_eq!(status(&printed, "Seccomp"), "2");
    let (_, printed) = outside("status", "");
    assert_ne!(status(&printed, "CapBnd"), "0000000000000000", "outside there is something to drop");
}

#[test]
fn every_namespace_is_another_one_than_outside() {
    let ((_, outside), inside) = (outside("namespaces", ""), text(&inside("namespaces", "").stdout));
    for name in ["user", "mnt", "pid", "net", "ipc", "uts", "cgroup"] {
        let find = |printed: &str| {
            let line = printed.lines().find(|line| line.starts_with(&format!("{name}:")));
            line.unwrap_or_else(|| panic!("no {name} in {printed}")).to_owned()
        };
        assert_ne!(find(&inside), find(&outside));
    }
    assert!(inside.contains("host name: kaizen\n"), "{inside}");
    assert!(!outside.contains("host name: kaizen\n"), "{outside}");
}

#[test]
fn the_kernel_limits_each_process() {
    let (mut job, _dir) = probe_job("limits", "");
    job.limits = Limits { processes: 100, open_files: 99, memory: 1 << 30, file_size: 98 << 20, ..job.limits };
    let printed = text(&run(&job).stdout);
    let limit = |name: &str| {
        let line = printed.lines().find_map(|line| line.strip_prefix(name)).expect("a line of limits");
        line.split_ascii_whitespace().next().expect("a limit").to_owned()
    };
    assert_eq!(limit("Max core file size"), "1");
    assert_eq!(limit("Max open files"), "99");
    assert_eq!(limit("Max file size"), (98 << 20).to_string());
    assert_eq!(limit("Max processes"), "116");
    assert_eq!(limit("Max data size"), (2u64 << 30).to_string());
    assert_eq!(limit("Max cpu time"), "1200");
}

#[test]
fn the_environment_is_what_the_job_says_and_nothing_else() {
    let (mut job, _dir) = probe_job("environment", "");
    job.env.push(("GIVEN".into(), "x".into()));
    let finished = run(&job);
    let printed = text(&finished.stdout);
    assert!(printed.contains("names: GIVEN KAIZEN_PROBE KAIZEN_PROBE_ARGUMENT\n"), "{printed}");
}

/// The probe that stands for Kaizen: its own environment holds the secret, and it runs a job that searches for it.
pub fn search_from_a_caller() -> ! {
    let finished = inside("search for secret", BACKWARDS);
    print!("{}", text(&finished.stdout));
    exit(match finished.exit {
        Exit::Code(code) => code,
        _ => 1,
    })
}

#[test]
fn a_secret_in_the_environment_of_kaizen_is_found_nowhere_inside() {
    let output = plain_command("caller with secret", "").env("API_KEY", SECRET).output().expect("the caller ran");
    let printed = text(&output.stdout);
    assert_eq!(output.status.code(), Some(REFUSED), "{printed}{}", text(&output.stderr));
    assert!(printed.contains("memory of the first process: false"), "{printed}");

    // The witness looks while a process with the secret is there.
    let mut sleeper = std::process::Command::new("sleep").arg("1000").env("API_KEY", SECRET).spawn().expect("started");
    let (code, printed) = outside("search for secret", BACKWARDS);
    sleeper.kill().expect("ended");
    sleeper.wait().expect("waited for");
    assert_eq!(code, Some(GOT_THROUGH), "{printed}");
}

#[test]
fn the_loopback_inside_works() {
    let finished = inside("loopback", "");
    assert_eq!(finished.exit, Exit::Code(GOT_THROUGH), "{}", text(&finished.stdout));
}

#[test]
fn output_comes_as_lines_and_as_bytes() {
    let (mut job, _dir) = probe_job("print lines", "");
    let mut lines = Vec::new();
    let cancel = Cancel::new().expect("a flag");
    let finished =
        isolation().run(&job, &cancel, &mut |stream, line: &[u8]| lines.push((stream, line.to_vec()))).expect("run");
    let of = |wanted: Stream| lines.iter().filter(move |(stream, _)| *stream == wanted).map(|(_, line)| line.clone());
    let errors: Vec<_> = of(Stream::Stderr).collect();
    assert_eq!(errors, [b"err 0", b"err 1", b"err 2"]);
    let out: Vec<_> = of(Stream::Stdout).collect();
    assert!(out.ends_with(&[b"out 2".to_vec(), b"\xff\xfe no text".to_vec(), b"no line end".to_vec()]));
    assert!(finished.stdout.ends_with(b"out 2\n\xff\xfe no text\nno line end"));
    assert_eq!(finished.stderr, b"err 0\nerr 1\nerr 2\n");

    job.merge_output = true;
    let merged = run(&job);
    assert!(text(&merged.stdout).contains("out 0\nerr 0\nout 1\nerr 1\nout 2\nerr 2\n"), "{}", text(&merged.stdout));
    assert!(merged.stderr.is_empty());
}

#[test]
fn the_exit_is_the_command_s_own() {
    assert_eq!(inside("exit code", "0").exit, Exit::Code(0));
    assert_eq!(inside("exit code", "77").exit, Exit::Code(77));
    assert_eq!(inside("end by signal", "6").exit, Exit::Signal(libc::SIGABRT));
    assert_eq!(inside("end by signal", "9").exit, Exit::Signal(libc::SIGKILL));
}

#[test]
fn a_program_that_is_not_there_is_an_error_that_names_it() {
    let (mut job, _dir) = probe_job("status", "");
    job.program = "/nowhere/at/all".into();
    let error = isolation().run(&job, &Cancel::new().expect("a flag"), &mut |_, _| {}).expect_err("not run");
    assert!(matches!(&error, IsolationError::Exec { source, .. } if source.raw_os_error() == Some(libc::ENOENT)));
    assert!(error.to_string().contains("/nowhere/at/all"), "{error}");
}

#[test]
fn a_job_that_makes_no_sense_is_refused_before_anything_runs() {
    let refused = |change: &dyn Fn(&mut kaizen_sandbox::isolation::Job)| {
        let (mut job, _dir) = probe_job("status", "");
        change(&mut job);
        let error = isolation().run(&job, &Cancel::new().expect("a flag"), &mut |_, _| {});
        error.expect_err("refused").to_string()
    };
    assert!(refused(&|job| job.program = "probe".into()).contains("probe inside is not absolute"));
    assert!(refused(&|job| job.cwd = "/repo/../..".into()).contains("leads upwards"));
    assert!(refused(&|job| job.places.tree = "/".into()).contains("the root itself"));
    assert!(refused(&|job| job.env.push(("A=B".into(), "".into()))).contains("\"A=B\" is no name"));
    assert!(refused(&|job| job.args.push("a\0b".into())).contains("NUL"));
    assert!(refused(&|job| job.read_only.push(("/no/such".into(), "/x".into()))).contains("/no/such"));
}

#[test]
fn every_layer_is_probed_and_reported() {
    let names: Vec<&str> = isolation().layers().iter().map(|layer| layer.name.as_str()).collect();
    for name in ["user namespace", "pid namespace", "network namespace", "overlay", "landlock", "seccomp"] {
        assert!(names.contains(&name), "{names:?}");
    }
    let holds = |state| matches!(state, LayerState::Active | LayerState::Weaker);
    assert!(isolation().layers().iter().all(|layer| holds(layer.state)), "{:?}", isolation().layers());
    assert_eq!(Isolation::inspect(None), isolation().layers());
}
