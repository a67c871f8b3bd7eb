//! The facts that policies read: their names, units and words.
//!
//! A fact that nobody states is *unknown*, which is neither zero nor false. Only absence that is a
//! statement in itself (a complete catalogue without the entry) is a value: `kev.listed` is false.

use super::ratio::{Ratio, RatioOverflow};
use stella_verify::json::{Text, Value};
use stella_verify::node::Scope;

/// What a fact's value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FactKind {
    /// A number in a unit.
    Number(Unit),
    /// True or false.
    Flag,
    /// One word of a list; any word when the list is empty.
    Word(&'static [&'static str]),
    /// A set of words.
    Words,
}

/// Unit of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// CVSS: 98 is 9.8.
    Tenths,
    /// EPSS: 97123 is 0.97123.
    HundredThousandths,
    /// 10000 is 100 %.
    BasisPoints,
    /// A plain number of things.
    Count,
}

impl Unit {
    /// `value` on the scale of scores, 0 to 10000; `None` for plain counts.
    ///
    /// # Errors
    /// [`RatioOverflow`].
    pub fn to_basis_points(self, value: Ratio) -> Result<Option<Ratio>, RatioOverflow> {
        Ok(Some(match self {
            Self::Tenths => value.times(Ratio::whole(100))?,
            Self::HundredThousandths => value.times(Ratio::new(1, 10)?)?,
            Self::BasisPoints => value,
            Self::Count => return Ok(None),
        }))
    }

    /// The unit in words.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tenths => "tenths",
            Self::HundredThousandths => "1/100000",
            Self::BasisPoints => "basis points",
            Self::Count => "count",
        }
    }
}

/// A fact's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FactValue {
    /// A number, in the fact's unit.
    Number(Ratio),
    /// True or false.
    Flag(bool),
    /// One word.
    Word(Text),
    /// Words, sorted.
    Words(Vec<Text>),
}

impl FactValue {
    /// A whole number.
    #[must_use]
    pub fn count(value: impl Into<i64>) -> Self {
        Self::Number(Ratio::whole(value.into()))
    }

    /// The value as nodes show it: fractions as text, `17/2`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        match self {
            Self::Number(ratio) => {
                let whole = ratio.as_whole().and_then(|whole| whole.try_into().ok());
                whole.map_or_else(|| Value::String(ratio.text().into()), Value::Integer)
            }
            Self::Flag(flag) => Value::Bool(*flag),
            Self::Word(word) => Value::String(word.clone()),
            Self::Words(words) => Value::Array(words.iter().cloned().map(Value::String).collect()),
        }
    }
}

macro_rules! facts {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $scope:ident, $kind:expr;)*) => {
        /// A fact that the engine establishes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Fact {
            $($(#[$doc])* $variant,)*
        }

        impl Fact {
            /// Every fact, in the order of the table in docs/policies.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Name in policies and nodes.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Scope whose rules may read it; component facts are also a finding's.
            #[must_use]
            pub const fn scope(self) -> Scope {
                match self { $(Self::$variant => Scope::$scope,)* }
            }

            /// What its value is.
            #[must_use]
            pub const fn kind(self) -> FactKind {
                match self { $(Self::$variant => $kind,)* }
            }
        }
    };
}

use FactKind::{Flag, Number, Word, Words};

facts! {
    /// The prevailing CVSS score.
    SeverityScore = "severity.score", Finding, Number(Unit::Tenths);
    /// The prevailing rating: of the score, or stated alone.
    SeverityWord = "severity.word", Finding,
        Word(&["none", "negligible", "low", "medium", "high", "critical"]);
    /// CVSS version of the prevailing vector.
    SeverityVersion = "severity.version", Finding, Word(&["2.0", "3.0", "3.1", "4.0"]);
    /// Who states the prevailing severity.
    SeverityProvider = "severity.provider", Finding, Word(&[]);
    /// Mean of the scores of all stated vectors, an exact fraction.
    CvssMean = "cvss.mean", Finding, Number(Unit::Tenths);
    /// Probability of exploitation within 30 days.
    EpssProbability = "epss.probability", Finding, Number(Unit::HundredThousandths);
    /// Share of vulnerabilities with the same EPSS score or a lower one.
    EpssPercentile = "epss.percentile", Finding, Number(Unit::HundredThousandths);
    /// In the catalogue of known exploited vulnerabilities.
    KevListed = "kev.listed", Finding, Flag;
    /// Known use in ransomware campaigns.
    KevRansomware = "kev.ransomware", Finding, Flag;
    /// SSVC exploitation, CISA's words.
    SsvcExploitation = "ssvc.exploitation", Finding, Word(&["none", "poc", "active"]);
    /// SSVC automatable.
    SsvcAutomatable = "ssvc.automatable", Finding, Word(&["no", "yes"]);
    /// SSVC technical impact.
    SsvcTechnicalImpact = "ssvc.technical-impact", Finding, Word(&["partial", "total"]);
    /// A version with the fix exists.
    FixAvailable = "fix.available", Finding, Flag;
    /// What the advisory reports.
    AdvisoryKind = "advisory.kind", Finding,
        Word(&["vulnerability", "malicious", "unmaintained", "unsound", "notice"]);
    /// Prevailing VEX status.
    VexStatus = "vex.status", Finding,
        Word(&["not_affected", "affected", "fixed", "under_investigation"]);
    /// Justification of the prevailing statement.
    VexJustification = "vex.justification", Finding, Word(&[]);
    /// Statements that apply disagree.
    VexConflict = "vex.conflict", Finding, Flag;
    /// How near the vulnerable code is.
    ReachabilityLevel = "reachability.level", Finding,
        Word(&["unreachable", "module", "package", "symbol"]);
    /// Calls from an entry point to the vulnerable symbol.
    ReachabilityHops = "reachability.hops", Finding, Number(Unit::Count);
    /// What an attacker must pass on the way.
    ReachabilityGates = "reachability.gates", Finding, Words;
    /// Steps from the subject along the dependency graph, the fewest of the component's places.
    ComponentDepth = "component.depth", Component, Number(Unit::Count);
    /// How the component is needed; the strongest of its places.
    ComponentScope = "component.scope", Component,
        Word(&["required", "optional", "excluded", "unspecified"]);
    /// Its package URL type: `npm`, `cargo`, ...
    ComponentType = "component.type", Component, Word(&[]);
    /// Findings of the component that count.
    ComponentFindings = "component.findings", Component, Number(Unit::Count);
    /// Components of the bill of materials.
    ScanComponents = "scan.components", Scan, Number(Unit::Count);
    /// Components with a finding that counts.
    ScanAffected = "scan.affected-components", Scan, Number(Unit::Count);
    /// Findings that count.
    ScanFindings = "scan.findings", Scan, Number(Unit::Count);
    /// Findings that count and are known to be exploited.
    ScanKev = "scan.kev-findings", Scan, Number(Unit::Count);
    /// Findings that count and whose severity is unknown.
    ScanUnknown = "scan.unknown-severity-findings", Scan, Number(Unit::Count);
    /// Highest total of a finding.
    ScanWorst = "scan.worst-finding", Scan, Number(Unit::BasisPoints);
}

impl Fact {
    /// The fact of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|fact| fact.name() == name).copied()
    }

    /// Whether rules of `scope` may read it.
    #[must_use]
    pub fn is_readable_in(self, scope: Scope) -> bool {
        match self.scope() {
            // The number of findings is not known before the findings are scored.
            Scope::Component => {
                scope == Scope::Component
                    || (scope == Scope::Finding && self != Self::ComponentFindings)
            }
            own => own == scope,
        }
    }
}

/// Facts of one subject, with what a policy adds to them.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    values: Vec<Option<FactValue>>,
}

impl Facts {
    /// No fact is known.
    #[must_use]
    pub fn new() -> Self {
        Self {
            values: vec![None; Fact::ALL.len()],
        }
    }

    /// States a fact.
    pub fn set(&mut self, fact: Fact, value: FactValue) {
        if let Some(slot) = self.values.get_mut(fact as usize) {
            *slot = Some(value);
        }
    }

    /// The fact's value; `None` when it is unknown.
    #[must_use]
    pub fn get(&self, fact: Fact) -> Option<&FactValue> {
        self.values.get(fact as usize)?.as_ref()
    }

    /// The fact's word, when it is known and is one.
    #[must_use]
    pub fn word(&self, fact: Fact) -> Option<&Text> {
        match self.get(fact)? {
            FactValue::Word(word) => Some(word),
            _ => None,
        }
    }
}
