//! A real Prometheus, scraping itself: every form of answer, and every refusal, as it really gives them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use kaizen_domain::Timestamp;
use kaizen_forgestand::PrometheusServer;
use kaizen_forgestand::install::{all_tests, usual_cache};
use kaizen_metrics::{Access, MetricsError, Prometheus};

fn now() -> Timestamp {
    Timestamp(SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_millis() as u64)
}

#[tokio::test]
async fn a_real_prometheus_is_understood() {
    if !all_tests() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let every = Duration::from_millis(500);
    let server = PrometheusServer::start(&usual_cache(), folder.path(), None, every);
    let prometheus = Prometheus::new(&server.url(), &Access::default()).unwrap();
    let begun = now();
    tokio::time::sleep(Duration::from_secs(6)).await;

    assert_eq!(prometheus.instant("up", None).await.unwrap().first().map(|sample| sample.1), Some(1.0));
    let at = Timestamp(begun.0 + 3007);
    assert_eq!(prometheus.instant("1 + 2", Some(at)).await, Ok(vec![(at, 3.0)]));
    assert_eq!(prometheus.instant("1 / 0", Some(at)).await, Ok(vec![(at, f64::INFINITY)]));
    assert!(prometheus.instant("vector(0) / 0", None).await.unwrap().first().unwrap().1.is_nan());

    // The samples as they were scraped, and the same at steps of our own.
    let scraped = prometheus.instant("scrape_duration_seconds[5s]", None).await.unwrap();
    assert!((7..=11).contains(&scraped.len()), "{scraped:?}");
    let gaps = scraped.windows(2).map(|two| two[1].0.0 - two[0].0.0);
    assert!(gaps.clone().all(|gap| (250..=1500).contains(&gap)), "{:?}", gaps.collect::<Vec<_>>());
    let to = Timestamp(begun.0 + 3500);
    let range = prometheus.range("up", Timestamp(to.0 - 1000), to, Duration::from_millis(250)).await.unwrap();
    let wanted: Vec<_> = (0..=4).map(|step| (Timestamp(to.0 - 1000 + 250 * step), 1.0)).collect();
    assert_eq!(range, wanted);

    let nothing = prometheus.instant("no_such_metric", None).await.unwrap_err();
    assert_eq!(nothing, MetricsError::Nothing { query: "no_such_metric".to_owned() });
    let nothing = prometheus.range("no_such_metric", begun, to, every).await.unwrap_err();
    assert!(matches!(nothing, MetricsError::Nothing { .. }));
    let several = prometheus.instant("prometheus_http_requests_total", None).await.unwrap_err();
    assert!(matches!(&several, MetricsError::Several { count, .. } if *count > 1), "{several}");
    let wrong = prometheus.instant("sum(up", None).await.unwrap_err();
    assert!(matches!(&wrong, MetricsError::Query { message, .. } if message.contains("parenthesis")), "{wrong}");
    let steps = prometheus.range("up", Timestamp(0), to, Duration::from_secs(1)).await.unwrap_err();
    assert!(matches!(&steps, MetricsError::Query { message, .. } if message.contains("11,000")), "{steps}");
    assert!(matches!(prometheus.instant("\"a text\"", None).await, Err(MetricsError::NoNumbers { .. })));

    drop(server);
    assert!(prometheus.instant("up", None).await.unwrap_err().may_pass());
}
