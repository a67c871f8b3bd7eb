//! Telling waiting calls that the log grew, or that the service ends, without a thread for each.

use std::sync::Arc;
use stella_ledger::Ledger;
use stella_ledger::log::Published;
use stella_verify::units::LeafIndex;
use tokio::sync::watch;

/// The newest tree, and whether the service is ending.
pub(crate) struct Growing {
    newest: watch::Receiver<Arc<Published>>,
    ending: Arc<watch::Sender<bool>>,
}

impl Growing {
    /// Follows a ledger that nobody appends to yet: nothing is published between the two lines.
    /// Ledgers that share `ending` end their waits together.
    pub(super) fn of(ledger: &Ledger, ending: Arc<watch::Sender<bool>>) -> Self {
        let (grown, newest) = watch::channel(ledger.published());
        ledger.log().on_publish(move |published| {
            grown.send_replace(Arc::clone(published));
        });
        Self { newest, ending }
    }

    /// Waits until the tree holds a leaf; nothing, once the service ends.
    pub(crate) async fn holds(&self, leaf: LeafIndex) -> Option<Arc<Published>> {
        let mut newest = self.newest.clone();
        let mut ending = self.ending.subscribe();
        tokio::select! {
            grown = newest.wait_for(|published| published.size.contains(leaf)) => {
                grown.ok().map(|published| Arc::clone(&published))
            }
            _ = ending.wait_for(|ending| *ending) => None,
        }
    }

    /// Ends every wait: a call that would last for ever must not hold up a clean stop.
    pub(crate) fn end(&self) {
        self.ending.send_replace(true);
    }
}
