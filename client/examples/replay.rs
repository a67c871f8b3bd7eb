//! Computes a scan's score again from its original inputs, and reads why it is what it is.
//!
//!     cargo run -p stella-client --example replay -- URL TOKEN SIGNING-KEY.pem LOG-KEY ORIGIN SCAN-ID
#![allow(clippy::print_stdout, reason = "an example says what it found")]

use stella_client::{Connection, LogTrust, ScoreTrust, VerifyingScores};
use stella_proto::score::ReplayScoreRequest;
use stella_verify::checkpoint::Origin;
use stella_verify::dsse::Threshold;
use stella_verify::keys::PublicKey;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, token, pem, key, origin, scan] = arguments.as_slice() else {
        return Err("usage: replay URL TOKEN SIGNING-KEY.pem LOG-KEY ORIGIN SCAN-ID".into());
    };
    let connection = Connection::to(url, Some(token)).await?;
    let request = ReplayScoreRequest {
        scan_id: scan.clone(),
        use_original_snapshots: true,
        ..ReplayScoreRequest::default()
    };
    let replayed = connection
        .scores()
        .replay_score(request)
        .await?
        .into_inner();
    println!(
        "{}: the same root: {}",
        replayed.replay_id, replayed.verified_equal
    );

    // That was the server's word. What it signed, and the nodes that make the score, are checked.
    let trust = ScoreTrust {
        keys: vec![PublicKey::from_pem(&std::fs::read_to_string(pem)?)?],
        threshold: Threshold::ONE,
        log: LogTrust {
            keys: vec![key.parse()?],
            origin: Origin::new(origin)?,
        },
    };
    let scores = VerifyingScores::new(&connection, trust);
    let signed = scores.root(replayed.replayed_root_hash.parse()?).await?;
    println!(
        "score {} basis points, {} nodes",
        signed.score, signed.nodes
    );
    for node in scores.nodes(&signed).await?.iter() {
        let parts = node.parts();
        println!("{:>8} {}", parts.delta, parts.rule_id);
    }
    Ok(())
}
