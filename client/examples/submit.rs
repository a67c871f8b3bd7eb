//! Submits an SBOM, shows that the score is one that was signed for it, and replays every scan.
//!
//!     cargo run -p stella-client --example submit -- URL TOKEN SIGNING-KEY.pem LOG-KEY ORIGIN SBOM
#![allow(clippy::print_stdout, reason = "an example says what it found")]

use stella_client::{
    Connection, LogTrust, NewBatch, NewScan, Replays, RetryPolicy, Scans, ScoreTrust,
    VerifyingScores,
};
use stella_verify::checkpoint::Origin;
use stella_verify::dsse::Threshold;
use stella_verify::hash::{BlobDigest, sha256};
use stella_verify::keys::PublicKey;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, token, pem, key, origin, sbom] = arguments.as_slice() else {
        return Err("usage: submit URL TOKEN SIGNING-KEY.pem LOG-KEY ORIGIN SBOM".into());
    };
    let trust = ScoreTrust {
        keys: vec![PublicKey::from_pem(&std::fs::read_to_string(pem)?)?],
        threshold: Threshold::ONE,
        log: LogTrust {
            keys: vec![key.parse()?],
            origin: Origin::new(origin)?,
        },
    };
    let connection = Connection::to(url, Some(token)).await?;
    let new = NewScan {
        sbom: std::fs::read(sbom)?.into(),
        ..NewScan::default()
    };
    // One request id for all tries: sent again, submitted once.
    let scans = Scans::new(&connection, RetryPolicy::default());
    let submitted = scans.submit(&new).await?;
    for warning in &submitted.warnings {
        println!("{warning}");
    }

    // That was the server's word. This is what was signed, for this document (unless it is gzip).
    let scores = VerifyingScores::new(&connection, trust);
    let scored = scores.scored(&submitted.scan).await?;
    let asked = BlobDigest::new(sha256(&new.sbom));
    if scored.submitted.sbom_digest != asked {
        return Err("the score is of another document".into());
    }
    let (id, score) = (&submitted.scan.id, scored.statement.score);
    println!("{id}: {score} basis points");

    let replays = Replays::new(&connection, RetryPolicy::default());
    let started = replays.start(&NewBatch::default()).await?;
    let mut watch = replays.watch(&started.operation.name);
    while let Some(operation) = watch.next().await? {
        let (done, total) = (operation.progress.completed, operation.progress.total);
        println!("replayed {done} of {total}");
    }
    for result in replays.results(&started.operation.name).all().await? {
        println!("{}: {:?}", result.scan, result.outcome);
    }
    Ok(())
}
