//! The protobuf exposition: `io.prometheus.client.MetricFamily`, each with its length in front.
//!
//! Written by hand because only a part is needed: prometheus' client model as of its native
//! histograms.

use super::gather::{Gather, Sample, Value};
use super::histogram::{SCHEMA, Snapshot};
use super::series::{Kind, Series};
use prost::Message;

/// The type of what [`write`] makes.
pub(crate) const CONTENT_TYPE: &str =
    "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited";

#[derive(Clone, PartialEq, Message)]
struct MetricFamily {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    help: String,
    /// 0 counter, 1 gauge, 4 histogram. Optional in the contract, so 0 is written out.
    #[prost(int32, optional, tag = "3")]
    kind: Option<i32>,
    #[prost(message, repeated, tag = "4")]
    metric: Vec<Metric>,
}

#[derive(Clone, PartialEq, Message)]
struct Metric {
    #[prost(message, repeated, tag = "1")]
    label: Vec<LabelPair>,
    #[prost(message, optional, tag = "2")]
    gauge: Option<Number>,
    #[prost(message, optional, tag = "3")]
    counter: Option<Number>,
    #[prost(message, optional, tag = "7")]
    histogram: Option<Histogram>,
}

#[derive(Clone, PartialEq, Message)]
struct LabelPair {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    value: String,
}

#[derive(Clone, PartialEq, Message)]
struct Number {
    #[prost(double, tag = "1")]
    value: f64,
}

#[derive(Clone, PartialEq, Message)]
struct Histogram {
    #[prost(uint64, tag = "1")]
    sample_count: u64,
    #[prost(double, tag = "2")]
    sample_sum: f64,
    #[prost(message, repeated, tag = "3")]
    bucket: Vec<Bucket>,
    #[prost(sint32, tag = "5")]
    schema: i32,
    #[prost(double, tag = "6")]
    zero_threshold: f64,
    #[prost(uint64, tag = "7")]
    zero_count: u64,
    #[prost(message, repeated, tag = "12")]
    positive_span: Vec<BucketSpan>,
    #[prost(sint64, repeated, tag = "13")]
    positive_delta: Vec<i64>,
}

#[derive(Clone, PartialEq, Message)]
struct Bucket {
    #[prost(uint64, tag = "1")]
    cumulative_count: u64,
    #[prost(double, tag = "2")]
    upper_bound: f64,
}

/// A run of native buckets without a gap.
#[derive(Clone, PartialEq, Message)]
struct BucketSpan {
    /// Index of the first one; in later spans, distance from the end of the span before.
    #[prost(sint32, tag = "1")]
    offset: i32,
    #[prost(uint32, tag = "2")]
    length: u32,
}

/// A scrape as delimited messages.
pub(crate) fn write(scrape: &Gather) -> Vec<u8> {
    let mut out = Vec::new();
    for (series, samples) in scrape.series().filter(|(_, samples)| !samples.is_empty()) {
        out.extend(family(series, samples).encode_length_delimited_to_vec());
    }
    out
}

fn family(series: Series, samples: &[Sample]) -> MetricFamily {
    let kind = series.kind();
    MetricFamily {
        name: series.name().to_owned(),
        help: series.help().to_owned(),
        kind: Some(match kind {
            Kind::Counter => 0,
            Kind::Gauge => 1,
            Kind::Histogram => 4,
        }),
        metric: samples.iter().map(|sample| metric(kind, sample)).collect(),
    }
}

fn metric(kind: Kind, sample: &Sample) -> Metric {
    let pair = |(name, value): &(&str, String)| LabelPair {
        name: (*name).to_owned(),
        value: value.clone(),
    };
    let mut metric = Metric {
        label: sample.labels.iter().map(pair).collect(),
        ..Metric::default()
    };
    match &sample.value {
        Value::Histogram(seen) => metric.histogram = Some(histogram(seen)),
        Value::Number(value) if kind == Kind::Counter => {
            metric.counter = Some(Number { value: *value });
        }
        Value::Number(value) => metric.gauge = Some(Number { value: *value }),
    }
    metric
}

fn histogram(seen: &Snapshot) -> Histogram {
    let (mut spans, mut deltas) = (Vec::<BucketSpan>::new(), Vec::new());
    let (mut next, mut before) = (0, 0);
    for (index, count) in &seen.native {
        match spans.last_mut() {
            Some(span) if *index == next => span.length += 1,
            _ => spans.push(BucketSpan {
                offset: index - next,
                length: 1,
            }),
        }
        next = index + 1;
        let count = i64::try_from(*count).unwrap_or(i64::MAX);
        deltas.push(count - before);
        before = count;
    }
    if spans.is_empty() {
        // A span says that the buckets are native even while there is none.
        spans.push(BucketSpan::default());
    }
    let bucket = |(bound, below): &(f64, u64)| Bucket {
        cumulative_count: *below,
        upper_bound: *bound,
    };
    let infinite = (f64::INFINITY, seen.count);
    Histogram {
        sample_count: seen.count,
        sample_sum: seen.sum,
        bucket: seen.classic.iter().chain([&infinite]).map(bucket).collect(),
        schema: SCHEMA,
        zero_threshold: seen.zero_threshold,
        zero_count: seen.zero,
        positive_span: spans,
        positive_delta: deltas,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn native_buckets_are_spans_and_differences() {
        let seen = Snapshot {
            count: 12,
            sum: 1.0,
            classic: vec![(1.0, 12)],
            native: vec![(-3, 2), (-2, 5), (4, 1), (5, 1)],
            zero: 3,
            zero_threshold: 0.5,
        };
        let wire = histogram(&seen);
        let spans: Vec<_> = wire
            .positive_span
            .iter()
            .map(|s| (s.offset, s.length))
            .collect();
        assert_eq!(spans, vec![(-3, 2), (5, 2)]);
        assert_eq!(wire.positive_delta, vec![2, 3, -4, 0]);
        assert_eq!(wire.bucket.last().unwrap().cumulative_count, 12);
    }
}
