//! x
use kaizen_sandbox::isolation::*;
fn main() {
    let mb: usize = std::env::args().nth(1).unwrap().parse().unwrap();
    let ballast = vec![1u8; mb << 20];
    let t = std::time::Instant::now();
    let iso = Isolation::probe(&[]).unwrap();
    println!("probe {:?}", t.elapsed());
    let dir = tempfile::tempdir().unwrap();
    let cancel = Cancel::new().unwrap();
    let mut v = vec![];
    let n = if mb > 200 { 30 } else { 200 };
    for _ in 0..n {
        let job = Job::new("/bin/true", Tree::CopyOnWrite { lower: dir.path().into(), changes: vec![] }, "/repo");
        let t = std::time::Instant::now();
        let f = iso.run(&job, &cancel, &mut |_, _| {}).unwrap();
        assert_eq!(f.exit, Exit::Code(0));
        v.push(t.elapsed());
    }
    v.sort();
    println!("{mb} MB: p50 {:?} p95 {:?} ballast {}", v[v.len() / 2], v[v.len() * 95 / 100], ballast[5]);
}
