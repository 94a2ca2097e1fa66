//! Many calls in one sandbox, in both arrangements: their order, what is said of them, and that nothing inside can speak
//! for the one who carries them out, stop it, or see what it says.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use kaizen_sandbox::isolation::{
    Arrangement, Batch, BatchCall, BatchStep, Cancel, Code, Exit, Finished, Isolation, IsolationError, Job, LimitKind,
    Places, Stream, Task, Tree, Workers,
};

use crate::support::{Held, text};

/// What the lines begin with that the batch says.
const MARK: &str = "@unknown-inside";

struct Bench {
    dir: tempfile::TempDir,
    isolation: Isolation,
}

impl Bench {
    fn all() -> impl Iterator<Item = Self> {
        Arrangement::ALL.into_iter().map(|arrangement| {
            let isolation = Isolation::probe_arrangement(arrangement, &[]).expect("it can be had where the tests run");
            let dir = tempfile::tempdir().expect("a folder");
            std::fs::create_dir(dir.path().join("lower")).expect("a folder");
            Self { dir, isolation }
        })
    }

    fn places(&self) -> Places {
        self.isolation.places(self.dir.path())
    }

    fn sh(&self, script: &str) -> BatchStep {
        let (args, env) = (vec![OsString::from("-c"), script.into()], vec![("PATH".into(), "/usr/bin:/bin".into())]);
        BatchStep::Call(BatchCall { program: "/bin/sh".into(), args, cwd: self.places().tree, env })
    }

    /// A task that runs a script and says how it ended.
    fn task(&self, name: &str, needs: &[usize], script: &str) -> Task {
        let say = |word: &str| format!("{MARK} {word} {name}");
        let steps =
            vec![BatchStep::Say(say("begin") + "\n"), self.sh(script), BatchStep::SayCode(format!("\n{}", say("end")))];
        Task { needs: needs.to_vec(), steps }
    }

    fn job(&self, tasks: Vec<Task>, workers: Workers) -> Job {
        let tree = Tree::CopyOnWrite { lower: self.dir.path().join("lower"), changes: Vec::new() };
        let mut job = Job::new("/bin/true", tree, self.places());
        job.batch = Some(Batch { tasks, workers });
        job
    }

    fn try_run(&self, job: &Job) -> Result<Finished, IsolationError> {
        self.isolation.run(job, &Cancel::new().expect("a flag"), &mut |_, _| {})
    }

    fn run(&self, tasks: Vec<Task>, workers: Workers) -> Finished {
        self.try_run(&self.job(tasks, workers)).expect("the job was run")
    }
}

fn lines(printed: &[u8]) -> Vec<String> {
    text(printed).lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

#[test]
fn calls_follow_each_other_and_share_one_tree() {
    for bench in Bench::all() {
        let tasks = vec![
            // Taken up second: it needs what stands behind it.
            bench.task("b", &[1], "cat made; echo to stderr >&2; exit 7"),
            bench.task("a", &[], "echo one > made; echo two >> made; kill -9 $$"),
            bench.task("c", &[], "pwd; env | grep -c ."),
        ];
        let done = bench.run(tasks, Workers::One);
        let tree = bench.places().tree;
        let wanted = [
            format!("{MARK} begin a"),
            format!("{MARK} end a 137"),
            format!("{MARK} begin b"),
            "one".to_owned(),
            "two".to_owned(),
            "to stderr".to_owned(),
            format!("{MARK} end b 007"),
            format!("{MARK} begin c"),
            tree.display().to_string(),
            // PATH, and PWD from the shell.
            "2".to_owned(),
            format!("{MARK} end c 000"),
        ];
        assert_eq!((done.exit, lines(&done.stdout)), (Exit::Code(0), wanted.to_vec()));
        assert!(done.stderr.is_empty());
    }
}

#[test]
fn two_work_beside_each_other_on_streams_of_their_own() {
    for bench in Bench::all() {
        // Each waits for the other one.
        let meet = |mine: &str, other: &str| {
            format!(
                "touch {mine}; n=0; until [ -e {other} ]; do n=$((n+1)); [ $n -lt 500 ] || exit 1; sleep 0.02; done; echo {mine}"
            )
        };
        let tasks = vec![bench.task("a", &[], &meet("x", "y")), bench.task("b", &[], &meet("y", "x"))];
        let done = bench.run(tasks, Workers::Two);
        assert_eq!(done.exit, Exit::Code(0));
        let of = |name: &str, said: &str| {
            vec![format!("{MARK} begin {name}"), said.to_owned(), format!("{MARK} end {name} 000")]
        };
        assert_eq!((lines(&done.stdout), lines(&done.stderr)), (of("a", "x"), of("b", "y")));
    }
}

#[test]
fn a_task_may_let_others_begin_before_its_end() {
    for bench in Bench::all() {
        let early = Task {
            needs: Vec::new(),
            steps: vec![
                BatchStep::Ready,
                bench.sh("n=0; until [ -e late ]; do n=$((n+1)); [ $n -lt 500 ] || exit 1; sleep 0.02; done"),
                BatchStep::SayCode("waited".to_owned()),
            ],
        };
        let done = bench.run(vec![early, bench.task("late", &[0], "touch late")], Workers::Two);
        assert_eq!((done.exit, lines(&done.stdout)), (Exit::Code(0), vec!["waited 000".to_owned()]));
    }
}

#[test]
fn steps_depend_on_codes() {
    for bench in Bench::all() {
        let cases = [
            ("exit 0", Code::Zero, "000"),
            ("exit 3", Code::Zero, "003"),
            ("exit 3", Code::NotZero, "000"),
            ("exit 127", Code::CannotStart, "000"),
            ("exit 126", Code::CannotStart, "126"),
        ];
        for (script, code, wanted) in cases {
            let steps = vec![
                bench.sh(script),
                BatchStep::Unless(code, 1),
                bench.sh("exit 0"),
                BatchStep::SayCode("code".to_owned()),
            ];
            let done = bench.run(vec![Task { needs: Vec::new(), steps }], Workers::One);
            assert_eq!(lines(&done.stdout), [format!("code {wanted}")], "{script} {code:?}");
        }
        let missing = BatchCall { program: "/no/such/program".into(), cwd: "/usr".into(), ..BatchCall::default() };
        let nowhere = BatchCall { program: "/bin/true".into(), cwd: "/no/such/folder".into(), ..BatchCall::default() };
        for call in [missing, nowhere] {
            let steps = vec![BatchStep::Call(call), BatchStep::SayCode("code".to_owned())];
            let done = bench.run(vec![Task { needs: Vec::new(), steps }], Workers::One);
            assert_eq!((done.exit, lines(&done.stdout)), (Exit::Code(0), vec!["code 127".to_owned()]));
        }
    }
}

#[test]
fn a_task_ends_the_batch_and_all_that_runs_in_it() {
    for bench in Bench::all() {
        let mut failing =
            bench.task("a", &[], "(trap '' TERM; sleep 1000) & until [ -e up ]; do sleep 0.01; done; exit 5");
        failing.steps.push(BatchStep::EndUnlessZero);
        let tasks = vec![failing, bench.task("b", &[], "touch up; sleep 1000"), bench.task("c", &[0], "echo never")];
        let job = bench.job(tasks, Workers::Two);
        let mut held = None;
        let done = bench.isolation.run(&job, &Cancel::new().expect("a flag"), &mut |_: Stream, line: &[u8]| {
            if text(line).contains("end a 005") {
                held = Some(Held::below_this_thread());
            }
        });
        let done = done.expect("the job was run");
        assert_eq!(done.exit, Exit::Code(1));
        assert_eq!(lines(&done.stderr), [format!("{MARK} begin b")]);
        assert_eq!(held.expect("it was said").still_running_after(0), [0; 0]);
        assert!(!text(&done.stdout).contains("never"));
    }
}

#[test]
fn tasks_that_wait_for_each_other_end() {
    for bench in Bench::all() {
        let tasks = vec![bench.task("a", &[1], "true"), bench.task("b", &[0], "true"), bench.task("c", &[], "true")];
        let done = bench.run(tasks, Workers::Two);
        assert_eq!(done.exit, Exit::Code(3));
        assert_eq!(lines(&done.stdout), [format!("{MARK} begin c"), format!("{MARK} end c 000")]);
    }
}

#[test]
fn limits_hold_for_every_call() {
    for bench in Bench::all() {
        let mut job = bench.job(vec![bench.task("a", &[], "true"), bench.task("b", &[], "sleep 1000")], Workers::One);
        job.limits.wall = Duration::from_millis(400);
        let done = bench.try_run(&job).expect("the job was run");
        assert_eq!(done.exit, Exit::Limit(LimitKind::Wall(job.limits.wall)));
        assert_eq!(lines(&done.stdout).last(), Some(&format!("{MARK} begin b")));
        let mut job = bench.job(vec![bench.task("a", &[], "ulimit -n; ulimit -c; id -u")], Workers::One);
        job.limits.open_files = 77;
        let printed = lines(&bench.try_run(&job).expect("the job was run").stdout);
        assert_eq!(printed.get(1).map(String::as_str), Some("77"), "{printed:?}");
    }
}

#[test]
fn nothing_inside_sees_speaks_for_or_stops_the_one_who_carries_it_out() {
    for bench in Bench::all() {
        let script = format!(
            "cat /proc/1/cmdline /proc/1/mem /proc/$PPID/mem /proc/$PPID/environ 2>/dev/null | grep -c {MARK}; \
             for n in 1 $PPID; do kill -9 $n; kill -STOP $n; done; \
             for n in 3 4 5 6 7 8 9; do (eval \"echo spoken >&$n\"); done; \
             ls /proc/self/fd /proc/$PPID/fd; echo still there"
        );
        // The word is put together by the shell itself, or it would find its own.
        let script = script.replace(MARK, "@unknown'-'inside");
        let done = bench.run(vec![bench.task("a", &[], &script), bench.task("b", &[], "echo goes on")], Workers::One);
        let printed = lines(&done.stdout);
        assert_eq!(done.exit, Exit::Code(0), "{printed:?}");
        assert_eq!(printed.get(1).map(String::as_str), Some("0"), "{printed:?}");
        assert!(printed.iter().any(|line| line == "still there") && printed.iter().any(|line| line == "goes on"));
        assert!(!printed.iter().any(|line| line == "spoken"), "{printed:?}");
    }
}

#[test]
fn a_folder_or_program_that_is_not_inside_is_refused_before_anything_starts() {
    for bench in Bench::all() {
        for call in [
            BatchCall { program: "bin/true".into(), cwd: "/usr".into(), ..BatchCall::default() },
            BatchCall { program: "/bin/true".into(), cwd: Path::new("/usr/../..").into(), ..BatchCall::default() },
        ] {
            let tasks = vec![Task { needs: Vec::new(), steps: vec![BatchStep::Call(call)] }];
            let error = bench.try_run(&bench.job(tasks, Workers::One)).map(drop).expect_err("refused");
            assert!(matches!(error, IsolationError::Job(_)), "{error}");
        }
    }
}
