//! The text exposition, version 0.0.4: classic buckets only.

use super::gather::{Gather, Value};
use super::histogram::Snapshot;
use super::series::{Kind, Series};
use std::fmt::Write as _;

/// The type of what [`write`] makes.
pub(crate) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

type Labels = [(&'static str, String)];

/// A scrape as text.
pub(crate) fn write(scrape: &Gather) -> String {
    let mut out = String::new();
    for (series, samples) in scrape.series() {
        let (name, kind) = (series.name(), word(series.kind()));
        put(
            &mut out,
            format_args!("# HELP {name} {}\n# TYPE {name} {kind}\n", series.help()),
        );
        for sample in samples {
            match &sample.value {
                Value::Number(value) => line(&mut out, name, &sample.labels, None, *value),
                Value::Histogram(seen) => histogram(&mut out, series, &sample.labels, seen),
            }
        }
    }
    out
}

const fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Counter => "counter",
        Kind::Gauge => "gauge",
        Kind::Histogram => "histogram",
    }
}

fn histogram(out: &mut String, series: Series, labels: &Labels, seen: &Snapshot) {
    let count = super::number::float(seen.count);
    let bucket = format!("{}_bucket", series.name());
    for (bound, below) in &seen.classic {
        let below = super::number::float(*below);
        line(out, &bucket, labels, Some(&bound.to_string()), below);
    }
    line(out, &bucket, labels, Some("+Inf"), count);
    line(
        out,
        &format!("{}_sum", series.name()),
        labels,
        None,
        seen.sum,
    );
    line(
        out,
        &format!("{}_count", series.name()),
        labels,
        None,
        count,
    );
}

fn line(out: &mut String, name: &str, labels: &Labels, bound: Option<&str>, value: f64) {
    out.push_str(name);
    let bound = bound.map(|bound| ("le", bound));
    let labels = labels.iter().map(|(label, value)| (*label, value.as_str()));
    let mut before = '{';
    for (label, value) in labels.chain(bound) {
        let value = escaped(value);
        put(out, format_args!("{before}{label}=\"{value}\""));
        before = ',';
    }
    if before == ',' {
        out.push('}');
    }
    put(out, format_args!(" {value}\n"));
}

/// A label's value: backslashes, quotes and line ends are escaped.
fn escaped(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string does not fail.
    out.write_fmt(text).ok();
}

#[cfg(test)]
mod tests {
    use super::super::histogram::{COUNT, Histogram};
    use super::*;

    #[test]
    fn lines_are_as_the_format_says() {
        let mut scrape = Gather::new();
        let labels = vec![
            ("method", "a\"b\\c\n".to_owned()),
            ("code", "OK".to_owned()),
        ];
        scrape.add(Series::Requests, labels, Value::Number(3.0));
        let batch = Histogram::new(&COUNT);
        batch.observe(2);
        scrape.histogram(Series::CommitEvents, batch.snapshot());
        let text = write(&scrape);
        let has = |line: &str| assert!(text.lines().any(|one| one == line), "{line}\n{text}");
        has("# TYPE stella_requests_total counter");
        has(r#"stella_requests_total{method="a\"b\\c\n",code="OK"} 3"#);
        has(r#"stella_log_commit_events_bucket{le="1"} 0"#);
        has(r#"stella_log_commit_events_bucket{le="2"} 1"#);
        has(r#"stella_log_commit_events_bucket{le="+Inf"} 1"#);
        has("stella_log_commit_events_sum 2");
        has("stella_log_commit_events_count 1");
    }
}
