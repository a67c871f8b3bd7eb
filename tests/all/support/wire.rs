//! A wire between a client and a server that a test can mute and cut.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// The wire. Connections are made through it as long as it exists.
pub(crate) struct Wire {
    pub(crate) url: String,
    state: watch::Sender<State>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct State {
    /// Connections of an earlier one are cut.
    generation: u64,
    /// Whether what the server says is lost.
    muted: bool,
    /// On connections that are older than this, it is lost for good.
    heard_from: u64,
}

impl Wire {
    /// A wire to the server at a URL, with a port of its own.
    pub(crate) async fn to(server: &str) -> Self {
        let server = server.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (state, watched) = watch::channel(State {
            generation: 0,
            muted: false,
            heard_from: 0,
        });
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let mut watched = watched.clone();
                let Ok(server) = TcpStream::connect(&server).await else {
                    continue;
                };
                tokio::spawn(async move {
                    let generation = watched.borrow().generation;
                    let seen = watched.clone();
                    tokio::select! {
                        () = pass(client, server, &seen) => (),
                        _ = watched.wait_for(|state| state.generation != generation) => (),
                    }
                });
            }
        });
        Self { url, state }
    }

    /// From now on requests arrive and their answers do not.
    pub(crate) fn mute(&self) {
        self.state.send_modify(|state| state.muted = true);
    }

    /// What the server says on the connections there are is lost from now on, and nobody is told;
    /// those that are made afterwards work.
    pub(crate) fn forget(&self) {
        self.state.send_modify(|state| state.heard_from += 1);
    }

    /// Cuts every connection; those that are made afterwards work.
    pub(crate) fn cut(&self) {
        self.state.send_modify(|state| {
            state.generation += 1;
            state.muted = false;
        });
    }
}

async fn pass(client: TcpStream, server: TcpStream, state: &watch::Receiver<State>) {
    let born = *state.borrow();
    let (mut asks, mut hears) = client.into_split();
    let (mut answers, mut is_asked) = server.into_split();
    let asking = tokio::io::copy(&mut asks, &mut is_asked);
    let answering = async {
        let mut piece = vec![0; 16 * 1024];
        while let Ok(size @ 1..) = answers.read(&mut piece).await {
            let state = *state.borrow();
            // What was muted is never told, also when the cut comes late to this task.
            let lost = state.muted
                || state.generation != born.generation
                || state.heard_from != born.heard_from;
            if !lost && hears.write_all(&piece[..size]).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        _ = asking => (),
        () = answering => (),
    }
}
