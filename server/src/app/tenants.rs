//! The ledgers of other tenants, beside the one of the data directory itself.
//!
//! ```text
//! <data-dir>/                      the tenant `default`
//! <data-dir>/tenants/<name>/       one data directory each: log, projections, blobs, keys, origin
//! ```
//!
//! Nothing is shared: what one tenant's ledger knows, no other can be asked for, whatever is asked.

use super::{App, AppOptions};
use crate::auth::TenantName;
use crate::refusal::Refusal;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::watch;

/// Folder of the other tenants' data directories.
const FOLDER: &str = "tenants";

/// The ledgers of the tenants that are not the default one.
#[derive(Debug, Default)]
pub(super) struct Tenants(BTreeMap<TenantName, Arc<App>>);

impl Tenants {
    /// Opens the ledgers of the tenants that `options` name, making those that are new. A new log's
    /// origin is that of the default tenant's log, a slash, and the tenant's name.
    pub(super) fn open(
        options: &AppOptions,
        origin: &str,
        ending: &Arc<watch::Sender<bool>>,
        progress: &(dyn Fn(u64, u64) + Sync),
    ) -> Result<Self, Refusal> {
        let mut opened = BTreeMap::new();
        for name in options.tenants.iter().filter(|name| !name.is_default()) {
            let directory = options.directory.join(FOLDER).join(name.as_str());
            // A log keeps the name it was made with.
            let is_new = !directory.join(super::open::CONFIG).exists();
            let mut options = options.clone();
            options.directory = directory;
            options.origin = is_new.then(|| format!("{origin}/{name}"));
            options.tenants = Vec::new();
            let app = App::open_one(options, ending, progress)?;
            opened.insert(name.clone(), app);
        }
        Ok(Self(opened))
    }

    /// Stops all of them; answers the first failure.
    pub(super) fn close(self) -> Result<(), Refusal> {
        let closed: Vec<_> = self.0.into_values().map(App::close).collect();
        closed.into_iter().collect()
    }
}

impl App {
    /// Every ledger that this one stands for, by its tenant: itself, and those beside it.
    pub(crate) fn by_tenant(self: &Arc<Self>) -> BTreeMap<TenantName, Arc<Self>> {
        let mut all = self.tenants.0.clone();
        all.insert(TenantName::default(), Arc::clone(self));
        all
    }
}
