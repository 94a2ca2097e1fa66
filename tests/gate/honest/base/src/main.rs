use garden::calendar::Date;
use garden::{eval, text};

const USAGE: &str = "usage: garden eval TEXT | weekday DATE | wrap WIDTH TEXT";

fn run(args: &[String]) -> Result<String, String> {
    let words: Vec<&str> = args.iter().map(|arg| arg.as_str()).collect();
    match words.as_slice() {
        ["eval", source] => match eval::evaluate(source) {
            Ok(value) => Ok(value.to_string()),
            Err(error) => Err(error.to_string()),
        },
        ["weekday", date] => match Date::parse(date) {
            Some(date) => Ok(format!("{}", date.weekday().name())),
            None => Err(format!("not a date: {}", date)),
        },
        ["wrap", width, source] => {
            let width = match width.parse::<usize>() {
                Ok(width) => width,
                Err(_) => return Err(format!("not a width: {}", width)),
            };
            Ok(text::wrap(source, width).join("\n"))
        }
        _ => Err(USAGE.to_string()),
    }
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match run(&args) {
        Ok(answer) => println!("{}", answer),
        Err(message) => {
            eprintln!("{}", message);
            std::process::exit(2);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(words: &[&str]) -> Result<String, String> {
        let args: Vec<String> = words.iter().map(|word| word.to_string()).collect();
        run(&args)
    }

    #[test]
    fn evaluates() {
        assert_eq!(call(&["eval", "6 * 7"]), Ok("42".to_string()));
        assert_eq!(
            call(&["eval", "1 / 0"]),
            Err("division by zero".to_string())
        );
    }

    #[test]
    fn names_the_weekday() {
        assert_eq!(call(&["weekday", "2024-02-29"]), Ok("Thursday".to_string()));
        assert_eq!(call(&["weekday", "x"]), Err("not a date: x".to_string()));
    }

    #[test]
    fn wraps() {
        assert_eq!(call(&["wrap", "3", "aa bb"]), Ok("aa\nbb".to_string()));
        assert_eq!(
            call(&["wrap", "x", "aa"]),
            Err("not a width: x".to_string())
        );
    }

    #[test]
    fn explains_itself() {
        assert_eq!(call(&[]), Err(USAGE.to_string()));
        assert_eq!(call(&["dig"]), Err(USAGE.to_string()));
    }
}
