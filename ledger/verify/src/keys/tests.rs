use super::*;
use alloc::string::String;

fn signing_key() -> SigningKey {
    SigningKey::from_seed(&[5; 32]).unwrap()
}

#[test]
fn pems_read_back() {
    let key = signing_key();
    let private = key.to_pem().unwrap();
    assert_eq!(
        SigningKey::from_pem(&private).unwrap().public_key(),
        key.public_key()
    );
    let public = key.public_key().to_pem();
    assert_eq!(PublicKey::from_pem(&public).as_ref(), Ok(key.public_key()));
    assert_eq!(key.public_key().algorithm(), Algorithm::Ed25519);
    assert!(matches!(
        PublicKey::from_pem(&private),
        Err(KeyError::Pem(PemError::Label { .. }))
    ));
    assert!(matches!(
        SigningKey::from_pem(&public),
        Err(PrivateKeyError::Pem(_))
    ));
    assert_eq!(alloc::format!("{key:?}").len(), "SigningKey()".len() + 64);
}

#[test]
fn a_pem_is_one_block() {
    let pem = signing_key().public_key().to_pem();
    let end = Err(KeyError::Pem(PemError::End));
    assert!(PublicKey::from_pem(&pem.replace('\n', "\r\n")).is_ok());
    assert!(PublicKey::from_pem(&alloc::format!("\n {pem}\n\n")).is_ok());
    assert_eq!(PublicKey::from_pem(&(pem.clone() + &pem)), end);
    assert_eq!(PublicKey::from_pem(&(pem.clone() + "x")), end);
    assert!(PublicKey::from_pem(&(String::from("x") + &pem)).is_err());
    assert!(PublicKey::from_pem("").is_err());
    assert_eq!(
        PublicKey::from_pem(&pem.replace("-----END", "=-----END")),
        Err(KeyError::Pem(PemError::Base64))
    );
    assert_eq!(
        PublicKey::from_pem(&" ".repeat(crate::limits::MAX_KEY_PEM_BYTES + 1)),
        Err(KeyError::Pem(PemError::TooLarge))
    );
}

#[test]
fn every_changed_bit_of_a_signature_is_refused() {
    let key = signing_key();
    let signature = key.sign(b"message").unwrap();
    assert_eq!(
        PureRust.verify(key.public_key(), b"message", &signature),
        Ok(())
    );
    for at in 0..signature.len() * 8 {
        let mut mutant = signature.clone();
        mutant[at / 8] ^= 1 << (at % 8);
        assert!(
            PureRust
                .verify(key.public_key(), b"message", &mutant)
                .is_err(),
            "bit {at}"
        );
    }
    assert!(
        PureRust
            .verify(key.public_key(), b"other", &signature)
            .is_err()
    );
    assert!(
        PureRust
            .verify(key.public_key(), b"message", &signature[..63])
            .is_err()
    );
}

#[test]
fn points_with_a_second_spelling_are_no_keys() {
    // y = p + 3 reduces to y = 3, and y = p to y = 0.
    for low in [0xed, 0xee, 0xf0, 0xff] {
        let mut key = [0xff; 32];
        (key[0], key[31]) = (low, 0x7f);
        assert_eq!(
            ed25519::verify_strict(&key, b"", &[0; 64]),
            Err(SignatureError::Key)
        );
    }
    // The neutral element is of small order: it would verify every message.
    let mut neutral = [0; 32];
    neutral[0] = 1;
    assert_eq!(
        ed25519::verify_strict(&neutral, b"", &[0; 64]),
        Err(SignatureError::Key)
    );
}

#[test]
fn rsa_keys_have_sound_sizes() {
    let odd = |bytes: usize| [alloc::vec![0x80; bytes - 1], alloc::vec![1]].concat();
    let exponent = [1, 0, 1];
    for bytes in [256, 384, 512, 1024] {
        assert!(
            rsa::RsaPublicKey::new(&odd(bytes), &exponent).is_ok(),
            "{bytes}"
        );
    }
    for bytes in [64, 128, 255, 1025, 4096] {
        assert!(
            rsa::RsaPublicKey::new(&odd(bytes), &exponent).is_err(),
            "{bytes}"
        );
    }
    assert!(rsa::RsaPublicKey::new(&[], &exponent).is_err());
    assert!(rsa::RsaPublicKey::new(&[0; 300], &exponent).is_err());
    let padded = [alloc::vec![0], odd(256)].concat();
    assert_eq!(
        rsa::RsaPublicKey::new(&padded, &exponent).map(|key| key.verify(b"", &[0; 256])),
        Ok(Err(SignatureError::Invalid))
    );
    let even = [alloc::vec![0x80; 255], alloc::vec![2]].concat();
    assert!(rsa::RsaPublicKey::new(&even, &exponent).is_err());
    for exponent in [&[1][..], &[2], &[0], &[], &[1; 9]] {
        assert!(
            rsa::RsaPublicKey::new(&odd(256), exponent).is_err(),
            "{exponent:?}"
        );
    }
}
