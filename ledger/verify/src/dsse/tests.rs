use super::*;
use crate::keys::{EnvelopeSigner as _, PublicKey, PureRust, SigningKey};
use crate::limits::MAX_ENVELOPE_SIGNATURES;
use alloc::string::String;
use proptest::prelude::*;

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32]).unwrap()
}

fn public(seed: u8) -> PublicKey {
    key(seed).public_key().clone()
}

fn signed_by(seeds: &[u8]) -> Envelope {
    let keys: Vec<SigningKey> = seeds.iter().map(|seed| key(*seed)).collect();
    let others: Vec<&dyn crate::keys::EnvelopeSigner> = keys[1..]
        .iter()
        .map(|key| key as &dyn crate::keys::EnvelopeSigner)
        .collect();
    Envelope::sign("type", b"body".to_vec(), &keys[0], &others).unwrap()
}

#[test]
fn pae_is_the_specifications_example() {
    let expected = "DSSEv1 29 http://example.com/HelloWorld 11 hello world";
    assert_eq!(
        pae("http://example.com/HelloWorld", b"hello world"),
        expected.as_bytes()
    );
    assert_eq!(pae("", b""), b"DSSEv1 0  0 ");
    // Lengths count bytes of UTF-8, not characters.
    assert_eq!(pae("é", "日".as_bytes()), "DSSEv1 2 é 3 日".as_bytes());
}

#[test]
fn keys_are_counted_not_signatures_and_not_key_ids() {
    let two = Threshold::new(2).unwrap();
    let verify = |envelope: Envelope, trusted: &[PublicKey], threshold| {
        envelope
            .verify(trusted, threshold, &PureRust)
            .map(|verified| verified.keys().len())
    };
    let short = |verified, required| Err(VerifyError::Threshold { verified, required });
    assert_eq!(
        verify(signed_by(&[1, 2]), &[public(1), public(2)], two),
        Ok(2)
    );
    assert_eq!(
        verify(signed_by(&[1, 2]), &[public(2)], Threshold::ONE),
        Ok(1)
    );
    assert_eq!(
        verify(signed_by(&[1, 1]), &[public(1), public(1)], two),
        short(1, 2)
    );
    assert_eq!(
        verify(signed_by(&[1, 2]), &[public(1), public(3)], two),
        short(1, 2)
    );
    assert_eq!(verify(signed_by(&[1]), &[], Threshold::ONE), short(0, 1));
    assert_eq!(Threshold::new(0), Err(ThresholdError));

    // A signature repeated on the way still counts once.
    let text = String::from_utf8(signed_by(&[1]).to_bytes()).unwrap();
    let item = text.split_once('[').unwrap().1.split_once(']').unwrap().0;
    let twice = text.replace(item, &alloc::format!("{item},{item}"));
    let twice = Envelope::parse(twice.as_bytes()).unwrap();
    assert_eq!(twice.signatures().len(), 2);
    assert!(!twice.is_in_key_order());
    assert_eq!(verify(twice, &[public(1)], two), short(1, 2));

    // A key id that names another key, or none, changes nothing.
    let text = String::from_utf8(signed_by(&[1]).to_bytes()).unwrap();
    let misnamed = text.replace(&alloc::format!("{}", public(1).id()), "someone");
    let envelope = Envelope::parse(misnamed.as_bytes()).unwrap();
    assert_eq!(verify(envelope, &[public(1)], Threshold::ONE), Ok(1));
}

#[test]
fn the_same_signers_make_the_same_envelope() {
    let envelope = signed_by(&[1, 2, 3]);
    assert_eq!(envelope, signed_by(&[3, 1, 2, 3]));
    assert!(envelope.is_in_key_order());
    let signatures = envelope.signatures().to_vec();
    let rebuilt = Envelope::of_signatures("type", b"body".to_vec(), signatures.clone());
    assert_eq!(rebuilt.as_ref(), Ok(&envelope));
    let reversed = signatures.into_iter().rev().collect();
    let reversed = Envelope::of_signatures("type", b"body".to_vec(), reversed).unwrap();
    assert!(!reversed.is_in_key_order());
    let none = Envelope::of_signatures("type", Vec::new(), Vec::new());
    assert_eq!(none, Err(EnvelopeError::Unsigned));
}

#[test]
fn what_is_signed_cannot_be_exchanged() {
    let text = String::from_utf8(signed_by(&[1]).to_bytes()).unwrap();
    for (from, to) in [("\"type\"", "\"tyqe\""), ("Ym9keQ==", "Ym9keg==")] {
        let mutant = Envelope::parse(text.replace(from, to).as_bytes()).unwrap();
        assert!(
            mutant
                .verify(&[public(1)], Threshold::ONE, &PureRust)
                .is_err(),
            "{from}"
        );
    }
}

#[test]
fn envelopes_of_others_are_read_as_the_specification_says() {
    let read = |text: &str| Envelope::parse(text.as_bytes());
    let ours = signed_by(&[1]);
    let text = String::from_utf8(ours.to_bytes()).unwrap();
    assert_eq!(read(&text).as_ref(), Ok(&ours));
    let extra = text.replacen('{', "{\"unknown\": [null, 1.5],", 1);
    assert_eq!(read(&extra).as_ref(), Ok(&ours));
    for key_id in ["\"keyid\":\"\",", "\"keyid\":null,", ""] {
        let stated = alloc::format!("\"keyid\":\"{}\",", public(1).id());
        let read = read(&text.replace(&stated, key_id)).unwrap();
        assert_eq!(read.signatures()[0].key_id, None);
    }
    for (from, to) in [
        ("\"payload\":", "\"payloda\":"),
        ("\"payloadType\":", "\"pt\":"),
        ("\"signatures\":", "\"sigs\":"),
        ("\"sig\":", "\"signature\":"),
        ("\"Ym9keQ==\"", "\"Ym9keQ= =\""),
        ("\"Ym9keQ==\"", "7"),
        ("{\"payload\":", "{\"payload\":\"\",\"payload\":"),
    ] {
        assert!(read(&text.replacen(from, to, 1)).is_err(), "{from} -> {to}");
    }
    let unsigned = "{\"payload\":\"\",\"payloadType\":\"t\",\"signatures\":[]}";
    assert_eq!(read(unsigned), Err(EnvelopeError::Unsigned));
    let many = alloc::vec!["{\"sig\":\"\"}"; MAX_ENVELOPE_SIGNATURES + 1].join(",");
    let many = unsigned.replace("[]", &alloc::format!("[{many}]"));
    assert_eq!(read(&many), Err(EnvelopeError::TooManySignatures));
}

proptest! {
    #[test]
    fn what_is_written_reads_back(kind in ".{0,20}", body in prop::collection::vec(any::<u8>(), 0..40)) {
        let envelope = Envelope::sign(&kind, body, &key(1), &[&key(2)]).unwrap();
        let bytes = envelope.to_bytes();
        prop_assert_eq!(Envelope::parse(&bytes).unwrap().to_bytes(), bytes);
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let _ = Envelope::parse(&bytes);
    }
}
