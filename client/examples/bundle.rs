//! Downloads a scan's proof bundle, verifies it with keys of the caller, and keeps it.
//!
//!     cargo run -p stella-client --example bundle -- URL SIGNING-KEY.pem LOG-KEY ORIGIN SCAN-ID
#![allow(clippy::print_stdout, reason = "an example says what it found")]

use stella_client::{Connection, LogTrust, ScoreTrust, VerifyingScores};
use stella_proto::proof::DownloadBundleRequest;
use stella_verify::checkpoint::Origin;
use stella_verify::dsse::Threshold;
use stella_verify::keys::PublicKey;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, pem, key, origin, scan] = arguments.as_slice() else {
        return Err("usage: bundle URL SIGNING-KEY.pem LOG-KEY ORIGIN SCAN-ID".into());
    };
    let trust = ScoreTrust {
        keys: vec![PublicKey::from_pem(&std::fs::read_to_string(pem)?)?],
        threshold: Threshold::ONE,
        log: LogTrust {
            keys: vec![key.parse()?],
            origin: Origin::new(origin)?,
        },
    };
    let connection = Connection::to(url, None).await?;
    let request = DownloadBundleRequest {
        scan_id: scan.clone(),
        include_inputs: true,
        ..DownloadBundleRequest::default()
    };
    let scores = VerifyingScores::new(&connection, trust);
    let bundle = scores.bundle(request, None).await?;
    for check in bundle.report.checks() {
        println!("{}: {}", check.name, check.message);
    }
    std::fs::write("bundle.zip", &bundle.bytes)?;
    Ok(())
}
