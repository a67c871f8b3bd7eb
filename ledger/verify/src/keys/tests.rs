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

/// What RFC 7515 A.3 and RFC 8037 A.4 print: a key, what was signed, the signature.
#[test]
fn jose_keys_and_signatures_of_the_rfcs() {
    let url = |text| crate::base64::decode_url(text).unwrap();
    let (x, y) = (
        url("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"),
        url("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"),
    );
    let p256 = PublicKey::from_numbers(KeyNumbers::P256 { x: &x, y: &y }).unwrap();
    let message = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6\
                   Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    let signature = url(
        "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
    );
    assert_eq!(p256.algorithm(), Algorithm::EcdsaP256Sha256);
    let verify = |signature: &[u8]| p256.verify_jose(&PureRust, message.as_bytes(), signature);
    assert_eq!(verify(&signature), Ok(()));
    for wrong in [
        &signature[1..],
        &signature[..63],
        &[0; 64],
        &[],
        &[0xff; 64],
    ] {
        assert_eq!(verify(wrong), Err(SignatureError::Invalid));
    }
    let longer = [signature.as_slice(), &[0]].concat();
    assert_eq!(verify(&longer), Err(SignatureError::Invalid));
    let mut other = signature;
    other[40] ^= 1;
    assert_eq!(verify(&other), Err(SignatureError::Invalid));

    let x = url("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
    let ed25519 = PublicKey::from_numbers(KeyNumbers::Ed25519 { x: &x }).unwrap();
    let message = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
    let signature = url(
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
    );
    assert_eq!(ed25519.verify_jose(&PureRust, message, &signature), Ok(()));
}

#[test]
fn jose_numbers_have_their_lengths() {
    let x = [7; 48];
    for numbers in [
        KeyNumbers::Ed25519 { x: &x[..31] },
        KeyNumbers::P256 {
            x: &x[..31],
            y: &x[..32],
        },
        KeyNumbers::P384 { x: &x, y: &x[..47] },
        KeyNumbers::Rsa { n: &[], e: &[3] },
        KeyNumbers::Rsa {
            n: &[0, 9],
            e: &[3],
        },
    ] {
        assert_eq!(
            PublicKey::from_numbers(numbers),
            Err(KeyError::Der),
            "{numbers:?}"
        );
    }
    // Numbers of the right length that are no point, or too small a modulus.
    for numbers in [
        KeyNumbers::P256 {
            x: &x[..32],
            y: &x[..32],
        },
        KeyNumbers::P384 { x: &x, y: &x },
        KeyNumbers::Rsa {
            n: &[0x85; 128],
            e: &[1, 0, 1],
        },
    ] {
        let refused = PublicKey::from_numbers(numbers);
        assert!(
            matches!(refused, Err(KeyError::Unacceptable { .. })),
            "{numbers:?}"
        );
    }
}
