//! The policies that come with the engine, as data.

use super::error::PolicyError;
use super::model::Policy;

/// A built-in policy: its name and the document as its author wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BuiltIn {
    /// Name, as in the document.
    pub name: &'static str,
    /// The YAML document.
    pub text: &'static str,
    /// Its worked examples, a test file ([`Cases`](super::Cases)).
    pub examples: &'static str,
}

/// All built-in policies; the first is the default.
pub const BUILT_IN: [BuiltIn; 4] = [
    BuiltIn {
        name: "stella-default",
        text: include_str!("../../policies/stella-default.yaml"),
        examples: include_str!("../../../../tests/vectors/policy/stella-default.yaml"),
    },
    BuiltIn {
        name: "risk-v1",
        text: include_str!("../../policies/risk-v1.yaml"),
        examples: include_str!("../../../../tests/vectors/policy/risk-v1.yaml"),
    },
    BuiltIn {
        name: "severity-epss-kev",
        text: include_str!("../../policies/severity-epss-kev.yaml"),
        examples: include_str!("../../../../tests/vectors/policy/severity-epss-kev.yaml"),
    },
    BuiltIn {
        name: "ssvc-coordinator",
        text: include_str!("../../policies/ssvc-coordinator.yaml"),
        examples: include_str!("../../../../tests/vectors/policy/ssvc-coordinator.yaml"),
    },
];

impl BuiltIn {
    /// Parses the document.
    ///
    /// # Errors
    /// None for a policy of [`BUILT_IN`]: a test parses them all.
    pub fn policy(&self) -> Result<Policy, PolicyError> {
        Policy::parse(self.text)
    }
}

/// The built-in policy of that name.
#[must_use]
pub fn built_in(name: &str) -> Option<BuiltIn> {
    BUILT_IN.into_iter().find(|policy| policy.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_document_is_a_policy_of_its_name() {
        for built_in in BUILT_IN {
            let policy = built_in
                .policy()
                .unwrap_or_else(|e| panic!("{}: {e}", built_in.name));
            assert_eq!(policy.name, built_in.name);
            let stored = Policy::from_canonical(policy.canonical()).unwrap();
            assert_eq!(stored, policy, "{}", built_in.name);
        }
    }
}
