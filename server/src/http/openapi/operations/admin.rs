//! Status, check, rebuild.

use super::Body::Optional;
use super::{Operation, get, post};
use crate::http::routes;

/// What stands under this tag.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        get("getStatus", routes::STATUS, "Read what the ledger is")
            .gives("stella.admin.v1.GetStatusResponse"),
        get("fsck", routes::FSCK, "Check every byte").gives("stella.admin.v1.FsckResponse"),
        post("rebuild", routes::REBUILD, "Rebuild the projections")
            .body("Rebuild", Optional)
            .answers(
                "202",
                "application/json",
                "google.longrunning.Operation",
                "The operation, which goes on.",
            ),
        get("getDescription", "/openapi.json", "Read this description").gives("Description"),
    ]
}
