//! The grammar that all CVSS vectors share: `METRIC:VALUE` pairs joined by `/`.

use super::CvssVersion;

/// Longest vector that is parsed, in bytes: all 32 metrics of 4.0 need 182.
const MAX_VECTOR_BYTES: usize = 512;

/// Most metrics of any version (4.0 has 32).
const MAX_METRICS: usize = 32;

/// Why a text is not a vector. The fault is the text's; the score is then unknown, not zero.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VectorError {
    /// Longer than any vector can be.
    #[error("a CVSS vector has at most {MAX_VECTOR_BYTES} bytes")]
    TooLong,
    /// A `CVSS:` prefix of a version that is none of 3.0, 3.1, 4.0.
    #[error("CVSS version {0:?} is not 3.0, 3.1 or 4.0")]
    Version(String),
    /// A part that is not `METRIC:VALUE`.
    #[error("{0:?} is not METRIC:VALUE")]
    Pair(String),
    /// A metric the version does not have.
    #[error("metric {0:?} is not one of this CVSS version")]
    UnknownMetric(String),
    /// A value the metric does not have.
    #[error("{metric} has no value {value:?}")]
    UnknownValue {
        /// The metric.
        metric: &'static str,
        /// What was given.
        value: String,
    },
    /// The same metric twice.
    #[error("metric {0} occurs twice")]
    Duplicate(&'static str),
    /// A mandatory metric is absent.
    #[error("mandatory metric {0} is missing")]
    Missing(&'static str),
    /// Metrics out of the order that CVSS 4.0 section 7 prescribes.
    #[error("metric {0} is out of the order that this CVSS version prescribes")]
    Order(&'static str),
}

/// A value of a metric: its letter and the weight the specification's equations give it.
pub(super) struct Value {
    pub(super) text: &'static str,
    pub(super) weight: u16,
}

/// A metric of a version.
pub(super) struct Metric {
    pub(super) name: &'static str,
    pub(super) values: &'static [Value],
    pub(super) mandatory: bool,
}

/// The metrics of a version; their places in the list are how the equations name them.
pub(super) struct Grammar {
    pub(super) metrics: &'static [Metric],
    /// Whether the metrics must stand in the order of the list.
    pub(super) ordered: bool,
}

/// Shorthand for the tables of the versions.
pub(super) const fn v(text: &'static str, weight: u16) -> Value {
    Value { text, weight }
}

/// A metric that every vector must have.
pub(super) const fn mandatory(name: &'static str, values: &'static [Value]) -> Metric {
    Metric {
        name,
        values,
        mandatory: true,
    }
}

/// A metric that a vector may have.
pub(super) const fn optional(name: &'static str, values: &'static [Value]) -> Metric {
    Metric {
        name,
        values,
        mandatory: false,
    }
}

/// Reads the version off a vector and hands on its metrics.
pub(super) fn split_prefix(text: &str) -> Result<(CvssVersion, &str), VectorError> {
    if text.len() > MAX_VECTOR_BYTES {
        return Err(VectorError::TooLong);
    }
    let Some(rest) = text.strip_prefix("CVSS:") else {
        return Ok((CvssVersion::V2, text));
    };
    let (version, body) = rest.split_once('/').unwrap_or((rest, ""));
    let version = match version {
        "3.0" => CvssVersion::V3_0,
        "3.1" => CvssVersion::V3_1,
        "4.0" => CvssVersion::V4_0,
        other => return Err(VectorError::Version(other.to_owned())),
    };
    Ok((version, body))
}

/// Which value each metric of a grammar has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Metrics([Option<Choice>; MAX_METRICS]);

/// One metric's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Choice {
    text: &'static str,
    weight: u16,
}

impl Metrics {
    /// Parses `body` under `grammar`.
    pub(super) fn parse(grammar: &Grammar, body: &str) -> Result<Self, VectorError> {
        let mut chosen = [None; MAX_METRICS];
        let mut last = None;
        for pair in body.split('/') {
            let (name, value) = pair
                .split_once(':')
                .ok_or_else(|| VectorError::Pair(pair.to_owned()))?;
            let (place, metric) = (grammar.metrics.iter().enumerate())
                .find(|(_, metric)| metric.name == name)
                .ok_or_else(|| VectorError::UnknownMetric(name.to_owned()))?;
            let slot = chosen
                .get_mut(place)
                .ok_or_else(|| VectorError::UnknownMetric(name.to_owned()))?;
            if slot.is_some() {
                return Err(VectorError::Duplicate(metric.name));
            }
            *slot = Some(choose(metric, value)?);
            if grammar.ordered && last.is_some_and(|last| last > place) {
                return Err(VectorError::Order(metric.name));
            }
            last = Some(place);
        }
        for (metric, slot) in grammar.metrics.iter().zip(&chosen) {
            if metric.mandatory && slot.is_none() {
                return Err(VectorError::Missing(metric.name));
            }
        }
        Ok(Self(chosen))
    }

    /// The letter of the metric at `place`; `X` when it is absent.
    pub(super) fn text(&self, place: usize) -> &'static str {
        self.choice(place).map_or("X", |choice| choice.text)
    }

    /// Weight of the metric at `place`; `absent` when the vector does not have it.
    pub(super) fn weight_or(&self, place: usize, absent: u16) -> u16 {
        self.choice(place).map_or(absent, |choice| choice.weight)
    }

    /// Whether any metric of `places` is given a value other than "not defined".
    pub(super) fn any_defined(&self, places: std::ops::Range<usize>) -> bool {
        places
            .into_iter()
            .any(|place| !matches!(self.text(place), "X" | "ND"))
    }

    /// The place to read a base metric from: its modified form where that is defined.
    pub(super) fn effective(&self, base: usize, modified: usize) -> usize {
        if self.text(modified) == "X" {
            base
        } else {
            modified
        }
    }

    fn choice(&self, place: usize) -> Option<Choice> {
        self.0.get(place).copied().flatten()
    }
}

fn choose(metric: &Metric, value: &str) -> Result<Choice, VectorError> {
    let found = metric.values.iter().find(|known| known.text == value);
    let known = found.ok_or_else(|| VectorError::UnknownValue {
        metric: metric.name,
        value: value.to_owned(),
    })?;
    Ok(Choice {
        text: known.text,
        weight: known.weight,
    })
}
