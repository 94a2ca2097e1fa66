//! Answer: what a Prometheus says to a query, in its four forms, as the samples of one series.

use std::collections::BTreeMap;

use kaizen_domain::Timestamp;
use serde::Deserialize;

use crate::Sample;
use crate::error::{MetricsError, line_of};

/// Series that an error names.
const NAMED: usize = 3;

#[derive(Debug, Deserialize)]
#[serde(tag = "status", rename_all = "lowercase")]
enum Answer {
    Success {
        data: Data,
    },
    Error {
        #[serde(rename = "errorType", default)]
        kind: String,
        #[serde(default)]
        error: String,
    },
}

#[derive(Debug, Deserialize)]
#[serde(tag = "resultType", content = "result", rename_all = "lowercase")]
enum Data {
    Scalar(Point),
    String(#[expect(dead_code, reason = "only that it is one counts")] Point),
    Vector(Vec<Series>),
    Matrix(Vec<Series>),
}

/// Seconds since the epoch, and the value as a text, which knows `NaN` and `+Inf` where JSON does not.
#[derive(Debug, Deserialize)]
struct Point(f64, String);

#[derive(Debug, Deserialize)]
struct Series {
    #[serde(default)]
    metric: BTreeMap<String, String>,
    /// In a vector.
    value: Option<Point>,
    /// In a matrix.
    #[serde(default)]
    values: Vec<Point>,
}

/// What was answered, and by whom.
pub(crate) struct Answered<'a> {
    pub host: &'a str,
    pub query: &'a str,
    pub status: u16,
    pub bytes: &'a [u8],
}

/// The samples of the one series that was answered, in the order of their times.
pub(crate) fn samples(answered: &Answered<'_>) -> Result<Vec<Sample>, MetricsError> {
    let query = answered.query.to_owned();
    let unreadable =
        |why: String| MetricsError::Answer { host: answered.host.to_owned(), query: query.clone(), why: line_of(&why) };
    let data = match serde_json::from_slice::<Answer>(answered.bytes) {
        Ok(Answer::Success { data }) => data,
        // 400 and 422 are about the query; what else goes wrong is the server's, and may pass.
        Ok(Answer::Error { kind, error }) => {
            let message = line_of(&error);
            return Err(match kind.as_str() {
                "bad_data" | "execution" => MetricsError::Query { query, message },
                _ => MetricsError::Refused { host: answered.host.to_owned(), status: answered.status, message },
            });
        }
        Err(_) if !(200..300).contains(&answered.status) => {
            let message = line_of(&String::from_utf8_lossy(answered.bytes));
            return Err(MetricsError::Refused { host: answered.host.to_owned(), status: answered.status, message });
        }
        Err(error) => return Err(unreadable(error.to_string())),
    };
    let points = match data {
        Data::Scalar(point) => vec![point],
        Data::String(_) => {
            let (what, help) = ("a text", "ask for a number");
            return Err(MetricsError::NoNumbers { query, what, help });
        }
        Data::Vector(series) | Data::Matrix(series) => the_one(series, &query)?,
    };
    let mut samples = points
        .into_iter()
        .map(|Point(at, value)| {
            let number = value.parse().map_err(|_| unreadable(format!("`{value}` is no number")))?;
            Ok((time(at), number))
        })
        .collect::<Result<Vec<Sample>, MetricsError>>()?;
    samples.sort_by_key(|(at, _)| *at);
    Ok(samples)
}

/// The points of the only series.
fn the_one(series: Vec<Series>, query: &str) -> Result<Vec<Point>, MetricsError> {
    let query = query.to_owned();
    let count = series.len();
    if count > 1 {
        let named: Vec<String> = series.iter().take(NAMED).map(|one| shown(&one.metric)).collect();
        return Err(MetricsError::Several { query, count, examples: named.join(" and ") });
    }
    let Some(one) = series.into_iter().next() else { return Err(MetricsError::Nothing { query }) };
    let points: Vec<Point> = one.values.into_iter().chain(one.value).collect();
    if points.is_empty() {
        let (what, help) = ("a histogram", "ask for a number of it, as `histogram_quantile(0.9, ...)` does");
        return Err(MetricsError::NoNumbers { query, what, help });
    }
    Ok(points)
}

fn shown(labels: &BTreeMap<String, String>) -> String {
    let name = labels.get("__name__").map_or("", String::as_str);
    let labels: Vec<String> =
        labels.iter().filter(|(key, _)| *key != "__name__").map(|(key, value)| format!("{key}={value:?}")).collect();
    line_of(&format!("{name}{{{}}}", labels.join(",")))
}

/// Times come in seconds with three decimals.
fn time(seconds: f64) -> Timestamp {
    Timestamp((seconds * 1000.0).round().max(0.0) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, text: &str) -> Result<Vec<Sample>, MetricsError> {
        samples(&Answered { host: "h", query: "q", status, bytes: text.as_bytes() })
    }

    fn data(kind: &str, result: &str) -> Result<Vec<Sample>, MetricsError> {
        read(
            200,
            &format!(r#"{{"status":"success","data":{{"resultType":"{kind}","result":{result}}},"warnings":["w"]}}"#),
        )
    }

    #[test]
    fn every_form_becomes_samples() {
        let at = |ms| Timestamp(ms);
        assert_eq!(data("scalar", r#"[1700000000.123,"2"]"#), Ok(vec![(at(1_700_000_000_123), 2.0)]));
        assert_eq!(data("vector", r#"[{"metric":{},"value":[1.5,"-1e-3"]}]"#), Ok(vec![(at(1500), -0.001)]));
        let matrix = r#"[{"metric":{"a":"b"},"values":[[2,"+Inf"],[1,"-Inf"],[3.001,"4"]]}]"#;
        let wanted = vec![(at(1000), f64::NEG_INFINITY), (at(2000), f64::INFINITY), (at(3001), 4.0)];
        assert_eq!(data("matrix", matrix), Ok(wanted));
        let nan = data("vector", r#"[{"metric":{},"value":[1,"NaN"]}]"#).unwrap();
        assert!(nan.first().unwrap().1.is_nan());
    }

    #[test]
    fn what_cannot_be_judged_is_said_with_the_query() {
        for empty in ["vector", "matrix"] {
            assert_eq!(data(empty, "[]"), Err(MetricsError::Nothing { query: "q".to_owned() }));
        }
        let two = r#"[{"metric":{"__name__":"up","job":"a\nb"},"value":[1,"1"]},{"metric":{},"value":[1,"1"]}]"#;
        let said = data("vector", two).unwrap_err().to_string();
        assert!(
            said.contains(r#"`q` returns 2 series, such as up{job="a\nb"} and {}"#) && said.contains("sum("),
            "{said}"
        );
        let histogram = r#"[{"metric":{},"histogram":[1,{"count":"1"}]}]"#;
        assert!(data("vector", histogram).unwrap_err().to_string().contains("histogram_quantile"));
        assert!(matches!(data("string", r#"[1,"x"]"#), Err(MetricsError::NoNumbers { .. })));
        assert!(matches!(data("scalar", r#"[1,"x"]"#), Err(MetricsError::Answer { .. })));
        assert!(matches!(data("dream", "[]"), Err(MetricsError::Answer { .. })));
    }

    #[test]
    fn refusals_are_told_apart() {
        let bad = r#"{"status":"error","errorType":"bad_data","error":"parse error: unclosed left parenthesis"}"#;
        let error = read(400, bad).unwrap_err();
        assert!(error.to_string().contains("unclosed left") && !error.may_pass());
        let late = r#"{"status":"error","errorType":"timeout","error":"query timed out"}"#;
        assert!(read(503, late).unwrap_err().may_pass());
        assert!(read(502, "<html>bad gateway").unwrap_err().may_pass());
        assert!(!read(404, "page not found").unwrap_err().may_pass());
        assert!(matches!(read(200, "hello"), Err(MetricsError::Answer { .. })));
    }
}
