//! One scrape: every series with its samples, whatever the format.

use super::histogram::Snapshot;
use super::number::float;
use super::series::Series;

/// What a sample says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Number(f64),
    Histogram(Box<Snapshot>),
}

/// One line of a series: its labels and what it says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sample {
    pub(crate) labels: Vec<(&'static str, String)>,
    pub(crate) value: Value,
}

/// The samples gathered so far.
#[derive(Debug)]
pub(crate) struct Gather(Vec<Vec<Sample>>);

impl Gather {
    pub(crate) fn new() -> Self {
        Self(vec![Vec::new(); Series::ALL.len()])
    }

    /// Adds a sample without labels.
    pub(crate) fn number(&mut self, series: Series, value: f64) {
        self.add(series, Vec::new(), Value::Number(value));
    }

    /// Adds a count without labels.
    pub(crate) fn count(&mut self, series: Series, value: u64) {
        self.number(series, float(value));
    }

    /// Adds a sample with one label.
    pub(crate) fn labelled(&mut self, series: Series, label: (&'static str, &str), value: u64) {
        let labels = vec![(label.0, label.1.to_owned())];
        self.add(series, labels, Value::Number(float(value)));
    }

    /// Adds a histogram without labels.
    pub(crate) fn histogram(&mut self, series: Series, seen: Snapshot) {
        self.add(series, Vec::new(), Value::Histogram(Box::new(seen)));
    }

    /// Adds a sample.
    pub(crate) fn add(
        &mut self,
        series: Series,
        labels: Vec<(&'static str, String)>,
        value: Value,
    ) {
        if let Some(samples) = self.0.get_mut(series as usize) {
            samples.push(Sample { labels, value });
        }
    }

    /// Every series with its samples, in the order of the table.
    pub(crate) fn series(&self) -> impl Iterator<Item = (Series, &[Sample])> {
        let samples = self.0.iter().map(Vec::as_slice);
        Series::ALL.iter().copied().zip(samples)
    }
}
