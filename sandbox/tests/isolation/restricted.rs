//! The sandbox of machines that give their users no namespaces: what it keeps in, what it leaves behind, and that it is
//! taken where namespaces cannot be had.

use std::fs;
use std::path::Path;
use std::process::{Stdio, exit};
use std::sync::OnceLock;
use std::time::Duration;

use kaizen_domain::LayerState;
use kaizen_sandbox::isolation::{Arrangement, Cancel, Exit, Finished, Isolation, Job, LimitKind, Limits, Tree};
use tempfile::TempDir;

use crate::support::{GOT_THROUGH, Held, REFUSED, outside, plain_command, program, snapshot, text};

fn restricted() -> &'static Isolation {
    static PROBED: OnceLock<Isolation> = OnceLock::new();
    PROBED.get_or_init(|| Isolation::probe_arrangement(Arrangement::Restricted, &[]).expect("it can be had here"))
}

/// A folder with a tree in it, for one job after the other.
struct Bench(TempDir);

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        fs::create_dir_all(dir.path().join("lower/folder")).expect("a folder");
        fs::write(dir.path().join("lower/kept"), "kept").expect("written");
        fs::write(dir.path().join("lower/folder/a"), "a").expect("written");
        fs::hard_link(dir.path().join("lower/kept"), dir.path().join("lower/folder/again")).expect("linked");
        Self(dir)
    }

    fn lower(&self) -> std::path::PathBuf {
        self.0.path().join("lower")
    }

    fn job(&self, program: &Path) -> Job {
        let places = restricted().places(self.0.path());
        let tree = Tree::CopyOnWrite { lower: self.lower(), changes: Vec::new() };
        let mut job = Job::new(program, tree, places.clone());
        job.env = vec![("PATH".into(), "/usr/bin:/bin".into()), ("TMPDIR".into(), places.tmp.into())];
        job
    }

    fn shell(&self, script: &str) -> Finished {
        let mut job = self.job(Path::new("/bin/sh"));
        job.args = vec!["-c".into(), script.into()];
        run(&job)
    }

    fn probe_job(&self, name: &str, argument: &str) -> Job {
        let mut job = self.job(&program());
        job.args = ["probe_entry", "--exact", "--nocapture", "--test-threads=1"].map(Into::into).to_vec();
        job.env.extend([("KAIZEN_PROBE".into(), name.into()), ("KAIZEN_PROBE_ARGUMENT".into(), argument.into())]);
        job.read_only = vec![(program(), program())];
        job
    }
}

fn run(job: &Job) -> Finished {
    restricted().run(job, &Cancel::new().expect("a flag"), &mut |_, _| {}).expect("the job was run")
}

#[test]
fn what_a_job_writes_vanishes_and_the_base_stays_byte_for_byte() {
    let bench = Bench::new();
    let before = snapshot(&bench.lower());
    let done = bench.shell("cat kept folder/again && echo && echo x > kept && rm folder/a && mkdir new && mkdir $TMPDIR/t && ls -i kept folder/again");
    assert_eq!(done.exit, Exit::Code(0), "{}{}", text(&done.stdout), text(&done.stderr));
    let printed = text(&done.stdout);
    let numbers: Vec<&str> = printed.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert!(printed.starts_with("keptkept"), "{printed}");
    assert!(
        matches!(numbers.as_slice(), [.., one, other] if one == other),
        "two names of one file stay one: {printed}"
    );
    assert_eq!(snapshot(&bench.lower()), before);
    assert!(!bench.0.path().join("inside").exists(), "nothing is left of the copy");
}

#[test]
fn times_of_files_are_kept_or_cargo_would_build_everything_again() {
    let bench = Bench::new();
    let file = fs::File::open(bench.lower().join("kept")).expect("there");
    file.set_times(fs::FileTimes::new().set_modified(std::time::UNIX_EPOCH + Duration::from_secs(1_000_000)))
        .expect("set");
    assert_eq!(text(&bench.shell("stat -c %Y kept").stdout), "1000000\n");
}

#[test]
fn a_folder_that_is_lent_keeps_what_the_job_wrote() {
    let bench = Bench::new();
    let kept = bench.0.path().join("kept-target");
    fs::create_dir(&kept).expect("a folder");
    fs::write(kept.join("old"), "old").expect("written");
    let mut job = bench.job(Path::new("/bin/sh"));
    job.args = vec!["-c".into(), "cat target/old && echo new > target/new".into()];
    job.writable.push((kept.clone(), job.places.tree.join("target")));
    let done = run(&job);
    assert_eq!((done.exit, text(&done.stdout)), (Exit::Code(0), "old".to_owned()), "{}", text(&done.stderr));
    assert_eq!(fs::read_to_string(kept.join("new")).expect("kept"), "new\n");
    assert!(!bench.lower().join("target").exists());
}

#[test]
fn the_host_can_be_neither_read_nor_written_nor_talked_to() {
    let bench = Bench::new();
    let dir = tempfile::tempdir().expect("a folder");
    let secret = dir.path().join("secret");
    fs::write(&secret, "secret").expect("written");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let mut sleeper = std::process::Command::new("sleep").arg("1000").spawn().expect("a process");
    for (name, argument) in [
        ("read file", secret.to_string_lossy().into_owned()),
        ("write file", dir.path().join("new").to_string_lossy().into_owned()),
        ("connect tcp", listener.local_addr().expect("an address").to_string()),
        ("signal", sleeper.id().to_string()),
        ("read file", format!("/proc/{}/cmdline", std::process::id())),
        ("search for secret", "rorrim".to_owned()),
    ] {
        if name != "search for secret" {
            let (code, printed) = outside(name, &argument);
            assert_eq!(code, Some(GOT_THROUGH), "the witness of {name}: {printed}");
        }
        let done = run(&bench.probe_job(name, &argument));
        assert_eq!(done.exit, Exit::Code(REFUSED), "{name} {argument}: {}{}", text(&done.stdout), text(&done.stderr));
    }
    sleeper.kill().expect("ended");
    sleeper.wait().expect("waited for");
}

#[test]
fn modes_and_owners_of_files_outside_cannot_be_changed() {
    let bench = Bench::new();
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("file");
    fs::write(&file, "x").expect("written");
    let before = snapshot(dir.path());
    let name = file.display();
    let done = bench.shell(&format!(
        "chmod 777 {name}; touch -d @5 {name}; chown 1:1 {name}; setfattr -n user.x -v y {name}; true"
    ));
    assert_eq!(done.exit, Exit::Code(0), "{}", text(&done.stderr));
    assert_eq!(snapshot(dir.path()), before);
    let witness = std::process::Command::new("chmod").arg("777").arg(&file).status().expect("chmod runs");
    assert!(witness.success());
    assert_ne!(snapshot(dir.path()), before, "outside it can be done");
}

#[test]
fn no_process_is_left_however_it_hides() {
    let bench = Bench::new();
    let mut job = bench.probe_job("daemon", "300");
    job.limits = Limits { wall: Duration::from_secs(60), ..Limits::default() };
    let mut held = None;
    let done = restricted()
        .run(&job, &Cancel::new().expect("a flag"), &mut |_, line| {
            if text(line).ends_with("up") {
                held = Some(Held::below_this_thread());
            }
        })
        .expect("run");
    let held = held.expect("it came up");
    assert_eq!(done.exit, Exit::Code(GOT_THROUGH));
    assert!(held.len() >= 4, "monitor, init, the command and the daemon: {}", held.len());
    assert_eq!(held.still_running_after(0), Vec::<i32>::new());
}

#[test]
fn a_fork_bomb_and_what_ignores_every_signal_end() {
    let bench = Bench::new();
    let mut job = bench.probe_job("fork bomb", "");
    job.limits = Limits { processes: 40, ..Limits::default() };
    assert_eq!(run(&job).exit, Exit::Limit(LimitKind::Processes(40)));
    let mut job = bench.probe_job("stubborn", "");
    let wall = Duration::from_millis(800);
    job.limits = Limits { wall, ..Limits::default() };
    assert_eq!(run(&job).exit, Exit::Limit(LimitKind::Wall(wall)));
}

#[test]
fn a_disk_bomb_ends() {
    let bench = Bench::new();
    let file = restricted().places(bench.0.path()).tree.join("big");
    let mut job = bench.probe_job("fill deleted file", &file.to_string_lossy());
    job.limits = Limits { disk: 64 << 20, ..Limits::default() };
    assert_eq!(run(&job).exit, Exit::Limit(LimitKind::MachineDisk(64 << 20)));
}

/// The probe that stands for Kaizen: runs a job that leaves a daemon, without namespaces, and hands on its lines.
pub fn call_and_wait() -> ! {
    let bench = Bench::new();
    let job = bench.probe_job("daemon", "1000000000");
    let _ = restricted().run(&job, &Cancel::new().expect("a flag"), &mut |_, line| println!("job: {}", text(line)));
    exit(1)
}

#[test]
fn killing_the_caller_leaves_no_process() {
    use std::io::BufRead as _;
    let mut caller = plain_command("restricted caller", "").stdout(Stdio::piped()).spawn().expect("started");
    let mut lines = std::io::BufReader::new(caller.stdout.take().expect("a pipe")).lines();
    assert!(lines.any(|line| line.is_ok_and(|line| line.ends_with("up"))), "the job came up");
    let held = Held::below_process(caller.id());
    assert!(held.still_running_after(0).len() >= 4, "they run before the kill");
    caller.kill().expect("killed");
    caller.wait().expect("waited for");
    assert_eq!(held.still_running_after(60_000), Vec::<i32>::new());
}

/// The probe that stands for Kaizen on a machine that refuses namespaces: finds out how its sandbox is arranged.
pub fn probe_without_namespaces() -> ! {
    refuse_namespaces();
    match Isolation::probe(&[]) {
        Ok(isolation) => {
            println!("arrangement: {}", isolation.arrangement().name());
            for layer in isolation.layers() {
                println!("{}: {:?} {}", layer.name, layer.state, layer.detail);
            }
            exit(if isolation.layers().iter().all(|layer| layer.state != LayerState::Missing) {
                GOT_THROUGH
            } else {
                REFUSED
            })
        }
        Err(error) => {
            println!("refused: {error}");
            exit(REFUSED)
        }
    }
}

/// Lets `unshare` fail in this process, as such machines do.
fn refuse_namespaces() {
    const LOAD_NUMBER: u16 = 0x20;
    const JUMP_EQUAL: u16 = 0x15;
    const RETURN: u16 = 0x06;
    const EPERM: u32 = 0x0005_0000 | libc::EPERM as u32;
    const ALLOW: u32 = 0x7fff_0000;
    let op = |code, jt, jf, k| libc::sock_filter { code, jt, jf, k };
    let program = [
        op(LOAD_NUMBER, 0, 0, 0),
        op(JUMP_EQUAL, 0, 1, libc::SYS_unshare as u32),
        op(RETURN, 0, 0, EPERM),
        op(RETURN, 0, 0, ALLOW),
    ];
    let filter = libc::sock_fprog { len: 4, filter: program.as_ptr().cast_mut() };
    // SAFETY: the program is valid for reading, and the kernel copies it.
    let done = unsafe {
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const filter)
    };
    assert_eq!(done, 0, "{}", std::io::Error::last_os_error());
}

#[test]
fn it_is_taken_where_namespaces_are_refused_and_says_so() {
    let (code, printed) = outside("probe without namespaces", "");
    assert_eq!(code, Some(GOT_THROUGH), "{printed}");
    assert!(printed.contains("arrangement: restricted"), "{printed}");
    assert!(
        printed.contains("stronger with namespaces (building the sandbox failed in layer `user namespace`"),
        "{printed}"
    );
}
