//! Facts, one constructor each.

use super::*;

pub fn row(table: Table, source: &str, id: &str) -> RowKey {
    RowKey {
        table,
        ecosystem: "".into(),
        package: "".into(),
        source: source.to_owned().into(),
        id: id.to_owned().into(),
    }
}

pub fn cvss(vector: &str, published: Option<u8>, provider: &str, id: &str) -> SeverityFact {
    SeverityFact {
        scheme: match vector.get(5..6) {
            Some("4") => SeverityScheme::CvssV4,
            Some("3") => SeverityScheme::CvssV3,
            _ => SeverityScheme::CvssV2,
        },
        vector: vector.into(),
        published: published.and_then(ScoreTenths::new),
        word: None,
        provider: provider.into(),
        row: row(Table::Severity, provider, id),
    }
}

pub fn rating(word: SeverityWord, provider: &str, id: &str) -> SeverityFact {
    SeverityFact {
        scheme: SeverityScheme::Word,
        vector: "".into(),
        published: None,
        word: Some(word),
        provider: provider.into(),
        row: row(Table::Severity, provider, id),
    }
}

pub fn epss(id: &str, score: u32) -> EpssFact {
    EpssFact {
        score: EpssScore::new(score).unwrap(),
        percentile: EpssScore::new(99_000).unwrap(),
        row: row(Table::Epss, "epss", id),
    }
}

pub fn kev(id: &str, ransomware: bool) -> KevFact {
    KevFact {
        ransomware,
        date_added: "2024-02-03".into(),
        due_date: "".into(),
        row: row(Table::Kev, "kev", id),
    }
}

pub fn statement(id: &str, author: &str, status: VexStatus, millis: u64) -> VexStatement {
    VexStatement {
        author: author.into(),
        time: Some(UnixMillis::new(millis)),
        revision: "1".into(),
        vulnerabilities: vec![id.into()],
        status,
        justification: (status == VexStatus::NotAffected)
            .then(|| VexJustification("vulnerable_code_not_in_execute_path".into())),
        products: Vec::new(),
        row: row(Table::Vex, author, &format!("{id}#{millis}")),
    }
}
