//! The log as foreign tools read it: checkpoint and tiles over HTTP/1.1, without gRPC.

use crate::http::get;
use crate::support::TestServer;
use stella_proto::admin::GetStatusRequest;
use stella_proto::ledger as wire;
use stella_verify::checkpoint::SignedCheckpoint;
use stella_verify::hash::RootHash;
use stella_verify::merkle::root_of;
use stella_verify::tile::{EntryBundle, TileWidth};

#[tokio::test(flavor = "multi_thread")]
async fn the_tiles_have_the_root_that_the_checkpoint_signs() {
    let server = TestServer::start().await;
    assert_eq!(
        get(&server.url, "/checkpoint").status,
        404,
        "an empty log signs nothing"
    );
    let connection = server.connect().await;
    let event = wire::NewEvent {
        stream: "s".to_owned(),
        r#type: "t".to_owned(),
        payload: "p".into(),
        expected_position: None,
    };
    let request = wire::AppendRequest {
        request_id: String::new(),
        events: vec![event; 300],
    };
    connection.ledger().append(request).await.unwrap();
    let status = connection
        .admin()
        .get_status(GetStatusRequest {})
        .await
        .unwrap()
        .into_inner();
    let url = server.url.clone();
    tokio::task::spawn_blocking(move || check_tiles(&url, &status.vkey))
        .await
        .unwrap();
}

fn check_tiles(url: &str, vkey: &str) {
    let note = get(url, "/checkpoint");
    assert!(
        note.headers
            .contains("content-type: text/plain; charset=utf-8"),
        "{}",
        note.headers
    );
    let signed = SignedCheckpoint::open(&note.body, &[vkey.parse().unwrap()], None).unwrap();
    assert_eq!(signed.head().size.get(), 300);

    let full = get(url, "/tile/entries/000");
    assert!(
        full.headers
            .contains("content-type: application/octet-stream")
    );
    assert!(full.headers.contains("immutable"), "{}", full.headers);
    let partial = get(url, "/tile/entries/001.p/44");
    let mut leaves: Vec<_> = EntryBundle::decode(&full.body, TileWidth::FULL)
        .unwrap()
        .leaf_hashes()
        .collect();
    let width = TileWidth::new(44).unwrap();
    leaves.extend(
        EntryBundle::decode(&partial.body, width)
            .unwrap()
            .leaf_hashes(),
    );
    assert_eq!(
        root_of::<RootHash>(leaves.iter().copied()),
        signed.head().root
    );

    let hashes = get(url, "/tile/0/000").body;
    let expected: Vec<u8> = leaves[..256]
        .iter()
        .flat_map(|leaf| *leaf.as_bytes())
        .collect();
    assert_eq!(hashes, expected);
    assert_eq!(get(url, "/tile/0/001.p/44").body.len(), 44 * 32);
    assert_eq!(get(url, "/tile/1/000.p/1").body.len(), 32);
    // A partial tile stays readable when its tree has grown past it.
    assert_eq!(get(url, "/tile/0/000.p/7").body, expected[..7 * 32]);
    for missing in [
        "/tile/0/001",
        "/tile/0/001.p/45",
        "/tile/0/000.p/256",
        "/tile/0/000.p/0",
        "/tile/0/0",
        "/tile/0/002.p/1",
        "/tile/00/000",
        "/tile/64/000",
        "/tile/1/000",
        "/tile/entries/001",
        "/tile/0/x000/000",
        "/tile/entries/000.p/01",
        "/nowhere",
    ] {
        assert_eq!(get(url, missing).status, 404, "{missing}");
    }
}
