//! `serve` under TLS, and the client's side of it.

use crate::support::{Answer, command, run_in};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use std::fs;
use std::io::{BufRead as _, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use tempfile::TempDir;

/// `serve --dev` with its certificate in `cert.pem` and `key.pem`; killed when dropped.
struct Served {
    child: Child,
    stderr: Lines<BufReader<ChildStderr>>,
    url: String,
}

impl Served {
    fn start(folder: &Path, more: &[&str]) -> Self {
        let mut child = command()
            .current_dir(folder)
            .args([
                "serve",
                "--dev",
                "--data-dir",
                "ledger",
                "--listen",
                "127.0.0.1:0",
            ])
            .args(["--tls-cert", "cert.pem", "--tls-key", "key.pem"])
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut told = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut told).unwrap();
        let url = told.trim().rsplit(' ').next().unwrap().to_owned();
        assert!(url.starts_with("https://127.0.0.1:"), "{told}");
        let stderr = BufReader::new(child.stderr.take().unwrap()).lines();
        Self { child, stderr, url }
    }

    /// Sends SIGHUP and waits for what is said about it.
    fn hang_up(&mut self) -> String {
        let process = self.child.id().to_string();
        let sent = Command::new("kill").args(["-HUP", &process]).status();
        assert!(sent.unwrap().success());
        self.stderr.next().unwrap().unwrap()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Writes an authority to `NAME.ca.pem` and a certificate of it to `NAME.pem` and `NAME.key`.
fn make(folder: &Path, name: &str) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    let authority = params.self_signed(&key).unwrap().pem();
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap().pem();
    let write = |suffix, text: &str| fs::write(folder.join(format!("{name}{suffix}")), text);
    write(".ca.pem", &authority).unwrap();
    write(".pem", &certificate).unwrap();
    write(".key", &key.serialize_pem()).unwrap();
}

/// Makes `name` the server's certificate.
fn serve_as(folder: &Path, name: &str) {
    for (suffix, file) in [(".pem", "cert.pem"), (".key", "key.pem")] {
        fs::copy(folder.join(format!("{name}{suffix}")), folder.join(file)).unwrap();
    }
}

fn world() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["old", "new", "client", "stranger"] {
        make(folder.path(), name);
    }
    serve_as(folder.path(), "old");
    folder
}

fn list(folder: &TempDir, served: &Served, more: &[&str]) -> Answer {
    let all = [&["--server", &served.url, "scan", "list"], more].concat();
    run_in(folder.path(), &all)
}

#[cfg(unix)]
#[test]
fn a_signal_brings_the_new_certificate_and_a_bad_one_changes_nothing() {
    let folder = world();
    let mut served = Served::start(folder.path(), &[]);
    list(&folder, &served, &["--ca-cert", "old.ca.pem"]).good();
    list(&folder, &served, &["--ca-cert", "new.ca.pem"]).refused(1, "UnknownIssuer");
    list(&folder, &served, &[]).refused(1, "--ca-cert");

    serve_as(folder.path(), "new");
    let told = served.hang_up();
    assert!(told.contains("new certificate"), "{told}");
    list(&folder, &served, &["--ca-cert", "new.ca.pem"]).good();

    fs::write(folder.path().join("key.pem"), "nonsense").unwrap();
    let told = served.hang_up();
    assert!(
        told.contains("the old certificate stays in use: key.pem"),
        "{told}"
    );
    list(&folder, &served, &["--ca-cert", "new.ca.pem"]).good();
}

#[test]
fn a_client_shows_its_certificate() {
    let folder = world();
    let served = Served::start(folder.path(), &["--tls-client-ca", "client.ca.pem"]);
    let ca = ["--ca-cert", "old.ca.pem"];
    let with = |name: &str| {
        let (certificate, key) = (format!("{name}.pem"), format!("{name}.key"));
        let shown = ["--client-cert", &certificate, "--client-key", &key];
        list(&folder, &served, &[&ca[..], &shown[..]].concat())
    };
    with("client").good();
    // In TLS 1.3 the client learns of it after its handshake: as a broken connection, or a lost call.
    assert_ne!(with("stranger").code, 0);
    assert_ne!(list(&folder, &served, &ca).code, 0);
    let half = [&ca[..], &["--client-cert", "client.pem"]].concat();
    list(&folder, &served, &half).refused(2, "--client-key");
    let wrong = ["--ca-cert", "old.key"];
    list(&folder, &served, &wrong).refused(2, "no CERTIFICATE");
}

#[test]
fn what_cannot_be_served_is_refused_before_anything_is_made() {
    let folder = world();
    let serve = |more: &[&str]| {
        let dev = [
            "serve",
            "--dev",
            "--data-dir",
            "ledger",
            "--listen",
            "127.0.0.1:0",
        ];
        run_in(folder.path(), &[&dev, more].concat())
    };
    serve(&["--tls-cert", "cert.pem"]).refused(2, "--tls-key");
    serve(&["--tls-client-ca", "client.ca.pem"]).refused(2, "--tls-cert");
    serve(&["--tls-cert", "cert.pem", "--tls-key", "none.pem"]).refused(2, "none.pem");
    serve(&["--tls-cert", "cert.pem", "--tls-key", "new.key"]).refused(2, "new.key");
    fs::write(
        folder.path().join("my.toml"),
        "[serve]\ntls.cert = \"cert.pem\"\n",
    )
    .unwrap();
    let answer = serve(&["--config", "my.toml"]);
    answer.refused(2, "serve.tls-cert is set in my.toml:2");
    assert!(!folder.path().join("ledger").exists());
}
