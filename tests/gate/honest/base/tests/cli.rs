use std::process::Command;

fn garden(args: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_garden"))
        .args(args)
        .output()
        .unwrap();
    (
        output.status.code(),
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

#[test]
fn prints_the_value() {
    let (code, out, err) = garden(&["eval", "1 + 1"]);
    assert_eq!((code, out.as_str(), err.as_str()), (Some(0), "2\n", ""));
}

#[test]
fn fails_with_a_message() {
    let (code, out, err) = garden(&["weekday", "soon"]);
    assert_eq!(
        (code, out.as_str(), err.as_str()),
        (Some(2), "", "not a date: soon\n")
    );
}
